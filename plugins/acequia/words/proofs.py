"""What is said of receipts, in English and Spanish: proofs of deletions, and what is wrong with a receipt."""

from __future__ import annotations

Pair = tuple[str, str]

# What a receipt says of a deletion. Receipts are kept for decades, so a sentence is added and none ever goes.
_GONE = (
    "{objects:d} encrypted objects were deleted from landing, and none was found there afterwards. ",
    "Se borraron de la recepción {objects:d} objetos cifrados, y después no se encontró ninguno allí. ",
)
_KEYS: tuple[Pair, ...] = (
    (
        "The key that alone opened them was destroyed in the key store, and was not found there afterwards: without it "
        "no copy of these bytes can be opened, in a backup of landing or anywhere else.",
        "La única clave que los abría fue destruida en el almacén de claves, y después no se la encontró allí: "
        "sin ella "
        "no se puede abrir ninguna copia de estos bytes, ni en un respaldo de la recepción ni en ningún otro lugar.",
    ),
    (
        "The key that alone opened them was destroyed in the key store, and was not found there afterwards: without it "
        "no copy of these objects can be opened, in a backup of landing or anywhere else. This says nothing of copies "
        "of the files as they were sent, such as in a backup of uploads or with the sender: those open with other "
        "keys, or with none.",
        "La única clave que los abría fue destruida en el almacén de claves, y después no se la encontró allí: "
        "sin ella "
        "no se puede abrir ninguna copia de estos objetos, ni en un respaldo de la recepción ni en ningún otro lugar. "
        "Esto no dice nada de las copias de los archivos tal como se enviaron, por ejemplo en un respaldo de las "
        "subidas o en poder de quien los envió: esas se abren con otras claves, o sin ninguna.",
    ),
    (
        "They were encrypted with a key that other deliveries share, which is kept: a copy in a backup could be opened "
        "until that backup is gone.",
        "Estaban cifrados con una clave que comparten otras entregas y que se conserva: una copia en un "
        "respaldo podría "
        "abrirse mientras exista ese respaldo.",
    ),
    (
        "The key that opened them is not used any more, but this key store does not let it be destroyed.",
        "La clave que los abría ya no se usa, pero este almacén de claves no permite destruirla.",
    ),
)
_DELETED = tuple((_GONE[0] + english, _GONE[1] + spanish) for english, spanish in _KEYS)
_RECEIPTS: tuple[Pair, ...] = (
    ("it follows {many:d} others, back to the first", "sigue a otros {many:d}, hasta el primero"),
    ("it follows {many:d} others that are here, and more that are not",
     "sigue a otros {many:d} que están aquí, y a más que no están"),
    ("it is the first of its chain", "es el primero de su cadena"),
    ("its chain was not looked at", "no se miró su cadena"),
    ("it names entry {seq:d} of the ledger", "nombra el asiento {seq:d} del registro"),
    ("it belongs to another delivery than its folder's", "es de otra entrega que la de su carpeta"),
    ("it is the same as {place}", "es el mismo que {place}"),
    ("it and {place} are two different receipts {number:d} of {delivery}",
     "este y {place} son dos recibos {number:d} distintos de {delivery}"),
    ("it and {place} name entry {seq:d} of the ledger, but not the same one: it was rewritten",
     "este y {place} nombran el asiento {seq:d} del registro, pero no el mismo: fue reescrito"),
    ("receipt {number:d} of {delivery} is missing", "falta el recibo {number:d} de {delivery}"),
    ("receipt {number:d} is missing between those that are here",
     "falta el recibo {number:d} entre los que están aquí"),
    ("it does not follow {place}, which has the number before it",
     "no sigue a {place}, que tiene el número anterior"),
    ("it does not follow {place}, which lies before it", "no sigue a {place}, que está antes"),
    ("it does not follow any receipt of version {version:d}, which lies beside it",
     "no sigue a ningún recibo de la versión {version:d}, que está al lado"),
    ("it is older than {place}, which it says that it follows", "es más antiguo que {place}, al que dice seguir"),
    ("it says that nothing came before it, and receipts of version {version:d} are here",
     "dice que no hubo nada antes, y aquí hay recibos de la versión {version:d}"),
    ("the receipt of version {version:d} that it follows is missing",
     "falta el recibo de la versión {version:d} al que sigue"),
    ("this is not valid: {what:t}", "no es válido: {what:t}"),
    ("claims are missing", "faltan declaraciones"),
    ("it is another step than its name says", "es otro paso que el que dice su nombre"),
    ("it names a key that is not among the public keys given",
     "nombra una clave que no está entre las claves públicas dadas"),
    ("the public key that it names is no Ed25519 key", "la clave pública que nombra no es una clave Ed25519"),
    ("it is not signed with {name}", "no está firmado con {name}"),
    ("its type is not {name}", "su tipo no es {name}"),
    ("it holds no claims", "no contiene declaraciones"),
    ("its key was retired: it signs up to entry {last:d} of the ledger, and this is entry {seq:d}",
     "su clave fue retirada: firma hasta el asiento {last:d} del registro, y este es el asiento {seq:d}"),
    ("its key signs from entry {first:d} of the ledger, and this is entry {seq:d}",
     "su clave firma desde el asiento {first:d} del registro, y este es el asiento {seq:d}"),
    ("the file of public keys is damaged, or was changed: {what:t}",
     "el archivo de claves públicas está dañado, o fue cambiado: {what:t}"),
    ("it is not as it was signed", "no es como se firmó"),
    ("key {number:d} is no Ed25519 key", "la clave {number:d} no es una clave Ed25519"),
    ("key {number:d} is not the one that its name says", "la clave {number:d} no es la que dice su nombre"),
    ("its signature: {what:t}", "su firma: {what:t}"),
    ("it was not signed with its newest key", "no se firmó con su clave más nueva"),
    ("the file of public keys is not there, or is no JWK set",
     "el archivo de claves públicas no está, o no es un conjunto JWK"),
    ("no receipt and no certificate lies in this folder", "en esta carpeta no hay ningún recibo ni certificado"),
    ("Ask for the receipt again, and compare it with the ledger.",
     "Pedir el recibo otra vez y compararlo con el registro."),
)  # fmt: skip

PROOFS: tuple[Pair, ...] = (*_DELETED, *_RECEIPTS)
