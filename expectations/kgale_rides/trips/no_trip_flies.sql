-- Faster than 160 km/h over a whole trip: distance or clock is wrong.
SELECT count(*) FROM rows WHERE duration_s > 0 AND distance / (duration_s / 3600.0) > 160
