-- Receipt numbers that return in another department's shop are not unique, and baskets would be mixed.
SELECT count(*) FROM (SELECT receipt FROM rows GROUP BY receipt HAVING count(DISTINCT department) > 1)
