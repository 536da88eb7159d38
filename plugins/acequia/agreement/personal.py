"""Columns that look as if they were about a person, by name (English and Spanish) and type: a guess, told as one."""

from __future__ import annotations

import re
import unicodedata

from acequia.agreement.columns import Column

_WORDS = frozenset(
    """
    name names firstname lastname fullname surname forename nickname username nombre nombres apellido apellidos
    phone phones telephone tel telefono mobile cellphone celular movil fax msisdn imsi imei iccid
    email mail correo
    id ids uid uuid identifier identificacion identity cedula dni ci rut cuit cuil curp ssn nin omang passport pasaporte
    document documento licence license licencia matricula
    plate plates patente chapa placa vin
    address addresses direccion domicilio street calle postcode zip
    lat latitude latitud lon lng long longitude longitud gps geo coordinates coordenadas location ubicacion
    ip mac device cookie
    account cuenta iban card tarjeta pan
    birth birthday birthdate dob nacimiento
    password clave signature firma photo foto
    """.split()  # noqa: SIM905 - a list of words is read, not a list of strings
)
# A name of a thing names nobody.
_THINGS = frozenset(
    """
    product producto item articulo shop store tienda brand marca district departamento department region city ciudad
    country pais zone zona station estacion file category categoria class clase currency moneda plan
    """.split()  # noqa: SIM905
)
# Words that speak of a person only where another word does: `vendor_id` is no person's, `customer_id` is.
_NUMBERS = frozenset("id ids uid uuid identifier identificacion".split())  # noqa: SIM905
_OF_A_CARD = frozenset("number no num numero nro card".split())  # noqa: SIM905 - `id_number` is what a card says
_PEOPLE = frozenset(
    """
    customer client cliente clienta user usuario usuaria subscriber abonado abonada person persona people holder titular
    driver conductor conductora chofer rider passenger pasajero pasajera member miembro socio socia employee empleado
    empleada worker trabajador trabajadora patient paciente student alumno alumna citizen ciudadano ciudadana national
    sender receiver remitente destinatario payer payee owner agent agente caller taxpayer contribuyente household hogar
    """.split()  # noqa: SIM905
)


def looks_personal(name: str, column: Column) -> str | None:
    """Why a column may be about a person; None if nothing speaks for it."""
    if found := named_personal(name, column) or _named(name, column, _WORDS):
        return found
    if column.type == "timestamp" and column.one_of is None:
        return "an exact time can tell who it was"
    return None


def named_personal(name: str, column: Column) -> str | None:
    """Why a column is about a person, by its name or by what it is said to hold; None if it may be about a thing."""
    if column.holds is not None:
        return f"it holds `{column.holds}`"
    return _named(name, column, _WORDS if (_PEOPLE | _OF_A_CARD) & set(_split(name)) else _WORDS - _NUMBERS)


def _named(name: str, column: Column, telling: frozenset[str]) -> str | None:
    if column.type == "boolean" or column.one_of is not None:
        return None
    words = _split(name)
    found = next((word for word in words if word in telling), None)
    if found is None or (found in ("name", "names", "nombre", "nombres", "id") and _THINGS & set(words)):
        return None
    return f"its name speaks of `{found}`"


def _split(name: str) -> list[str]:
    """`customerID`, `Número de teléfono` -> small words without accents."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", bare)
    return [word.lower() for word in re.findall(r"[A-Za-z]+", apart)]
