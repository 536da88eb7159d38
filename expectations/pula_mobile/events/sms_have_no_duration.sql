-- A message lasts no time; a duration on one means that two columns were exchanged.
SELECT count(*) FROM rows WHERE kind = 'sms' AND duration_s <> 0
