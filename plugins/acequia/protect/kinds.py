"""What Presidio's entities are in this project's words: the kind of personal data, and the mark that takes its place.

Nothing of Presidio is imported here: agreements, reports and scans speak of kinds without loading it.
"""

from __future__ import annotations

from acequia.agreement.privacy import Kind

_KINDS: dict[str, Kind] = {
    "PERSON": "name",
    "PHONE_NUMBER": "phone",
    "ZA_MOBILE_NUMBER": "phone",
    "ZA_TELEPHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "URL": "url",
    "IP_ADDRESS": "ip",
    "MAC_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "account",
    "CRYPTO": "account",
    "US_BANK_NUMBER": "account",
    "ABA_ROUTING_NUMBER": "account",
    "DATE_TIME": "date",
    "LONG_NUMBER": "number",
    "BW_OMANG": "national_id",
    "UY_CEDULA": "national_id",
    "US_SSN": "national_id",
    "ES_NIF": "national_id",
    "ES_NIE": "national_id",
    "SG_NRIC_FIN": "national_id",
    "IN_AADHAAR": "national_id",
    "PL_PESEL": "national_id",
    "FI_PERSONAL_IDENTITY_CODE": "national_id",
    "SE_PERSONNUMMER": "national_id",
    "TR_NATIONAL_ID": "national_id",
    "TH_TNIN": "national_id",
    "KR_RRN": "national_id",
    "KR_FRN": "national_id",
    "NG_NIN": "national_id",
    "ZA_ID_NUMBER": "national_id",
    "CA_SIN": "national_id",
    "UK_NINO": "national_id",
    "DE_ID_CARD": "national_id",
    "DE_SOCIAL_SECURITY": "national_id",
    "IT_IDENTITY_CARD": "national_id",
    "IT_FISCAL_CODE": "national_id",
    "PH_UMID": "national_id",
    "UY_RUT": "tax_id",
    "US_ITIN": "tax_id",
    "AU_TFN": "tax_id",
    "DE_TAX_ID": "tax_id",
    "DE_TAX_NUMBER": "tax_id",
    "DE_VAT_ID": "tax_id",
    "IT_VAT_CODE": "tax_id",
    "IN_PAN": "tax_id",
    "IN_GSTIN": "tax_id",
    "PH_TIN": "tax_id",
    "ZA_INCOME_TAX_NUMBER": "tax_id",
    "ZA_VAT_NUMBER": "tax_id",
    "US_PROVIDER_TAX_ID": "tax_id",
    "DE_KFZ": "plate",
    "IN_VEHICLE_REGISTRATION": "plate",
    "NG_VEHICLE_REGISTRATION": "plate",
    "UK_VEHICLE_REGISTRATION": "plate",
}

_MARKS: dict[Kind, str] = {
    "name": "<PERSON>",
    "phone": "<PHONE>",
    "email": "<EMAIL>",
    "card": "<CARD>",
    "ip": "<IP>",
    "url": "<URL>",
    "date": "<DATE>",
    "number": "<NUMBER>",
}
_OWN_MARKS = {"MAC_ADDRESS": "<MAC>", "IBAN_CODE": "<IBAN>", "CRYPTO": "<CRYPTO>", "LOCATION": "<PLACE>"}


def kind_of(entity: str) -> Kind:
    """The kind of what Presidio calls `entity`; an identifier of no other kind, or one unheard of, is an `id`."""
    if entity.endswith("_PASSPORT"):
        return "passport"
    if entity.endswith("_PLATE"):
        return "plate"
    return _KINDS.get(entity, "id")


def mark_of(entity: str) -> str:
    """What takes its place in a text, such as `<PHONE>`; `<ID>` for every number of a document or an account."""
    return _OWN_MARKS.get(entity) or _MARKS.get(kind_of(entity), "<ID>")


__all__ = ["kind_of", "mark_of"]
