"""Requests and responses of the products' routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from media_service.idempotency.model import StoredResponse
from media_service.picture.schemas import Variant
from media_service.product.model import (
    ID_PATTERN,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_PRICE,
    Product,
    ProductDetails,
    ProductDraft,
    Visibility,
    parse_product_id,
)
from media_service.product.response import product_fields, product_url
from shared.paging import LAST_MOMENT, Page, PageQuery, Position
from shared.text import clean_line, clean_lines, clean_search
from shared.validation import EMPTY_IS_VALUE, PartialUpdate, cleaned

NEWEST = Position(LAST_MOMENT, "")
_CURRENCY_LIST = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN
BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD
FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF
XPD XPF XPT XSU XUA YER ZAR ZMW ZWG
"""

CURRENCIES = frozenset(_CURRENCY_LIST.split())
"""The currencies that a price may be in. Source: ISO 4217, list one, without XTS and XXX."""


def _check_currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("expected the code of a currency, ISO 4217, as INR")
    return text


def _parse_digits(text: object) -> object:
    if isinstance(text, str) and text.isascii() and text.isdigit():
        return int(text)
    raise ValueError("expected a whole number in digits")


Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), cleaned(clean_line)]
Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION), cleaned(clean_lines)]
Price = Annotated[
    int, Field(ge=0, le=MAX_PRICE, description="in the currency's smallest unit: 49900 is ₹499.00")
]
Currency = Annotated[
    str,
    StringConstraints(min_length=3, max_length=3),
    AfterValidator(_check_currency),
    cleaned(str.upper),
    Field(description="ISO 4217, as `INR`, in any case"),
]
Binary = WithJsonSchema({"type": "string", "format": "binary"})


class ProductBody(BaseModel):
    """A product without a photo."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name
    description: Description = ""
    price: Price
    currency: Currency
    visibility: Visibility = "public"

    def to_details(self) -> ProductDetails:
        """Return the details of the product."""
        return ProductDetails(**self.model_dump(include=set(ProductBody.model_fields)))


class ProductForm(ProductBody):
    """A product, perhaps with a photo; the parts come in any order."""

    model_config = ConfigDict(extra="forbid", strict=False)

    price: Annotated[Price, BeforeValidator(_parse_digits)]
    photo: Annotated[Annotated[str, Binary] | None, EMPTY_IS_VALUE] = None

    def to_draft(self) -> ProductDraft:
        """Return what the form describes."""
        return ProductDraft(self.to_details(), self.photo)


class PhotoForm(BaseModel):
    """A photo alone."""

    model_config = ConfigDict(extra="forbid")

    photo: Annotated[str, Binary]


class ProductChange(PartialUpdate):
    """The fields to change, at least one."""

    name: Name | None = None
    description: Description | None = None
    price: Price | None = None
    currency: Currency | None = None
    visibility: Visibility | None = None


class ProductQuery(PageQuery):
    """A page of products, the newest first."""

    def position(self) -> Position[str]:
        """Return the position before which the page begins.

        Raises:
            ValidationFailed: the cursor is invalid.
        """
        return self.start(parse_product_id, NEWEST)


class ProductSearchQuery(ProductQuery):
    """A page of visible products; other parameters of a shared link are ignored."""

    model_config = ConfigDict(extra="ignore")

    q: Annotated[
        Annotated[str, StringConstraints(max_length=MAX_NAME)] | None, cleaned(clean_search)
    ] = Field(
        None,
        description="words that a product must have, in any case and with any accents; a word of "
        "one or two letters matches the beginning of a word, a longer one any part of it",
    )


class PhotoQuery(BaseModel):
    """The file of a photo to send; other parameters of a shared link are ignored."""

    model_config = ConfigDict(extra="ignore")

    variant: Variant = "original"


class ProductResponse(BaseModel):
    """A product; `price` is in the currency's smallest unit."""

    id: str = Field(pattern=ID_PATTERN)
    user_id: UUID
    name: str
    description: str
    price: int
    currency: str
    visibility: Visibility
    photo_url: str | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, product: Product) -> "ProductResponse":
        """Return the answer for one row."""
        return cls(**product_fields(product))


def to_stored_response(product: Product, request_hash: bytes) -> StoredResponse:
    """Return the response to the request that created the product."""
    text = ProductResponse.of(product).model_dump_json()
    return StoredResponse(request_hash, text, product_url(product.id))


class ProductPage(Page[ProductResponse]):
    """One page of products, the newest first; `next_cursor` is null on the last one."""
