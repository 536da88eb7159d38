"""Opening what arrived: each file of a delivery as one relation of the agreed columns, whatever its format."""
