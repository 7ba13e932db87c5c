"""`python -m auth_service admin grant|revoke ADDRESS ROLE`: how the first administrator is made."""

import sys
from typing import Literal

from auth_service.admin.model import Actor, Role
from auth_service.admin.service import UserAdministration
from auth_service.audit.model import Origin
from auth_service.phone import parse_phone_number
from auth_service.revocation.errors import RevocationPending


async def change_role(
    administration: UserAdministration,
    default_region: str,
    *,
    how: Literal["grant", "revoke"],
    address: str,
    role: Role,
) -> int:
    """Grant or revoke a role of the user with the verified address; return 1 without one."""
    number = parse_phone_number(address, default_region, ("*",))
    user = await administration.find_verified_user(number or address)
    if user is None:
        sys.stderr.write("no user has this verified address\n")
        return 1
    try:
        user = await administration.change_roles(Actor(Origin()), user.id, how, [role])
    except RevocationPending:
        sys.stderr.write("done; the services are told as soon as Redis answers\n")
        return 0
    roles = " ".join(user.roles) or "has no role"
    sys.stdout.write(f"{user.id} {roles}; signed out everywhere, it counts from the next sign-in\n")
    return 0
