-- Money that goes to a person names that person.
SELECT count(*) FROM rows WHERE kind IN ('transfer', 'remittance') AND receiver IS NULL
