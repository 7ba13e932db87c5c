"""The relying party: options for authenticators, and the verification of their responses.

Source: WebAuthn level 3 §7.1 and §7.2. The library `webauthn` does most steps; this module adds
those that it leaves out, and takes from it no other error than `CredentialInvalid`.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from auth_service.passkey.authenticator_data import require_plain_cbor, without_statement
from auth_service.passkey.challenges import LIFE_MS
from auth_service.passkey.credential_json import (
    AuthenticationResponse,
    RegistrationResponse,
    parse_registration,
)
from auth_service.passkey.errors import (
    CredentialInvalid,
    PasskeysUnavailable,
    SignCountNotIncreased,
)
from auth_service.passkey.model import AuthenticatorState, NewPasskey, Passkey
from auth_service.passkey.public_key import ALGORITHMS, require_usable_key
from auth_service.settings.passkeys import is_address
from auth_service.user.model import User
from shared.logs import describe_error


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Makes the options of passkeys, and verifies responses to them.

    `id`: the domain that passkeys belong to. `name`: what browsers call it. `origins`: the pages
    and apps that may use them.
    """

    id: str
    name: str
    origins: tuple[str, ...]

    def registration_options(
        self, user: User, challenge: bytes, registered: Sequence[Passkey]
    ) -> dict[str, Any]:
        """Return the options of `navigator.credentials.create()`, in JSON form.

        The passkey is discoverable where the authenticator supports that, so that it can sign its
        user in without a name. Other passkeys are second factors.
        `registered`: the user's passkeys, whose authenticators are left out.

        Raises:
            PasskeysUnavailable: browsers would refuse the address of this installation.
        """
        options = generate_registration_options(
            rp_id=self._require_domain(),
            rp_name=self.name,
            user_id=user.id.bytes,
            user_name=user.username or next(iter(user.addresses), str(user.id)),
            user_display_name=user.name,
            challenge=challenge,
            timeout=LIFE_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED
            ),
            exclude_credentials=_describe(registered),
            supported_pub_key_algs=ALGORITHMS,
        )
        return options_to_json_dict(options)

    def authentication_options(
        self, challenge: bytes, allowed: Sequence[Passkey] = ()
    ) -> dict[str, Any]:
        """Return the options of `navigator.credentials.get()`, in JSON form.

        `allowed`: the passkeys of the user that a first factor identified. Without them any
        passkey may answer, and has to verify its user.

        Raises:
            PasskeysUnavailable: browsers would refuse the address of this installation.
        """
        need = UserVerificationRequirement
        options = generate_authentication_options(
            rp_id=self._require_domain(),
            challenge=challenge,
            timeout=LIFE_MS,
            allow_credentials=_describe(allowed),
            user_verification=need.PREFERRED if allowed else need.REQUIRED,
        )
        return options_to_json_dict(options)

    def verify_registration(self, credential: object, challenge: bytes) -> NewPasskey:
        """Return the passkey of a response to `registration_options`.

        `challenge` is the one that the caller has just consumed.

        Raises:
            CredentialInvalid: the response is malformed, or not to these options.
        """
        response = parse_registration(credential)
        with _only_credential_invalid():
            self._require_own_frame(response.client_data)
            verified = self._verify_new(response, challenge)
            require_usable_key(verified.credential_public_key)
        if verified.credential_id != response.credential_id:
            raise CredentialInvalid(reason="id is not that of the attested credential")
        return NewPasskey(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            transports=response.transports,
            state=_state(verified, verified.sign_count),
        )

    def verify_authentication(
        self,
        response: AuthenticationResponse,
        challenge: bytes,
        passkey: Passkey,
        *,
        identified: UUID | None,
    ) -> AuthenticatorState:
        """Return the authenticator's state in a response that the passkey has signed.

        `identified`: the user that a first factor identified. With None the passkey is the only
        factor: the response has to name its user, and the user has to be verified. `challenge` is
        the one that the caller has just consumed.

        A change of `backup_eligible` is accepted, although §7.2 compares it: password managers
        change it in updates and in shared vaults, and no decision here depends on it.

        Raises:
            SignCountNotIncreased: all is right but the counter; no other sign reveals a copy.
            CredentialInvalid: the response is malformed, or not this passkey's to this challenge.
        """
        _require_owner(response, passkey, identified)
        with _only_credential_invalid():
            self._require_own_frame(response.client_data)
            require_plain_cbor(response.authenticator_data)
            verified = self._verify_signed(response, challenge, passkey, identified is None)
            state = _state(verified, verified.new_sign_count)
        if (state.sign_count or passkey.sign_count) and state.sign_count <= passkey.sign_count:
            raise SignCountNotIncreased(passkey.sign_count, state.sign_count)
        return state

    def _require_domain(self) -> str:
        if is_address(self.id):
            raise PasskeysUnavailable
        return self.id

    def _require_own_frame(self, client_data: bytes) -> None:
        """Refuse a response that was made inside a page of another site."""
        members = json.loads(client_data)
        is_framed = members.get("crossOrigin", False) is not False or "topOrigin" in members
        if is_framed and members.get("topOrigin") not in self.origins:
            raise CredentialInvalid(reason="made in a frame of a page outside WEBAUTHN_ORIGINS")

    def _verify_new(self, response: RegistrationResponse, challenge: bytes) -> VerifiedRegistration:
        return verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(response.credential_id),
                raw_id=response.credential_id,
                response=AuthenticatorAttestationResponse(
                    client_data_json=response.client_data,
                    attestation_object=without_statement(response.attestation_object),
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=self.id,
            expected_origin=list(self.origins),
            supported_pub_key_algs=ALGORITHMS,
        )

    def _verify_signed(
        self,
        response: AuthenticationResponse,
        challenge: bytes,
        passkey: Passkey,
        require_user_verification: bool,  # noqa: FBT001 - private, and named where it is passed
    ) -> VerifiedAuthentication:
        return verify_authentication_response(
            credential=AuthenticationCredential(
                id=bytes_to_base64url(response.credential_id),
                raw_id=response.credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=response.client_data,
                    authenticator_data=response.authenticator_data,
                    signature=response.signature,
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=self.id,
            expected_origin=list(self.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared after the signature, not before it
            require_user_verification=require_user_verification,
        )


@contextmanager
def _only_credential_invalid() -> Iterator[None]:
    """Turn every error of a parser inside the block into `CredentialInvalid`."""
    try:
        yield
    except CredentialInvalid:
        raise
    except Exception as wrong:
        raise CredentialInvalid(reason=describe_error(wrong)) from wrong


def _require_owner(
    response: AuthenticationResponse, passkey: Passkey, identified: UUID | None
) -> None:
    """Refuse a response of another passkey, or of another user than the first factor's."""
    handle = response.user_handle
    if handle is None and identified is None:
        raise CredentialInvalid(reason="userHandle: required where nothing else names the user")
    is_owner = handle in {None, passkey.user_id.bytes} and identified in {None, passkey.user_id}
    if response.credential_id != passkey.credential_id or not is_owner:
        raise CredentialInvalid(reason="the passkey does not belong to this user")


def _state(
    verified: VerifiedRegistration | VerifiedAuthentication, sign_count: int
) -> AuthenticatorState:
    return AuthenticatorState(
        sign_count=sign_count,
        user_verified=verified.user_verified,
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
    )


def _describe(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id,
            transports=[AuthenticatorTransport(transport) for transport in one.transports],
        )
        for one in passkeys
    ]
