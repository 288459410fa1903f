"""Whether the change feed's triggers are all there and always fire."""

FEED_TRIGGERS = 15
"""Four on each of subject, face and face_embedding, two on gallery, one on gallery_change."""

# `pg_restore --disable-triggers` and the like leave them merely enabled: such a trigger does not
# fire under session_replication_role = replica
TRIGGER_FAULTS = rf"""
WITH feed AS (
  SELECT tgname, tgrelid::regclass AS place, tgenabled FROM pg_trigger
   WHERE NOT tgisinternal AND tgname LIKE 'feed\_%'
     AND tgrelid IN (SELECT oid FROM pg_class
                      WHERE relnamespace = quote_ident(current_schema())::regnamespace))
SELECT format('trigger %s of table %s is not ENABLE ALWAYS', tgname, place)
  FROM feed WHERE tgenabled <> 'A'
UNION ALL
SELECT format('the change feed has %s triggers instead of {FEED_TRIGGERS}', count(*))
  FROM feed HAVING count(*) <> {FEED_TRIGGERS}
 ORDER BY 1
"""
