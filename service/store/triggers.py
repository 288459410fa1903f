"""Whether the triggers of feed and record are all there and always fire, and their functions are
nobody else's to call."""

FEED_TRIGGERS = 15
"""Four on each of subject, face and face_embedding, two on gallery, one on gallery_change."""
AUDIT_TRIGGERS = 21
"""Four on each of these three, two on gallery, one on gallery_calibration; four that keep
audit_event, two that keep audit_anchor."""

# `pg_restore --disable-triggers` and the like leave them merely enabled: such a trigger does not
# fire under session_replication_role = replica. `pg_restore --no-privileges` leaves functions that
# run with their owner's rights to everybody.
TRIGGER_FAULTS = rf"""
WITH ours AS (
  SELECT tgname, tgrelid::regclass AS place, tgenabled,
         CASE WHEN tgname LIKE 'feed\_%' THEN 'change feed'
              WHEN tgname LIKE 'audit\_%' THEN 'audit record' ELSE 'set of rules' END AS part
    FROM pg_trigger
   WHERE NOT tgisinternal
     AND (tgname LIKE 'feed\_%' OR tgname LIKE 'audit\_%' OR tgname = 'space_identity')
     AND tgrelid IN (SELECT oid FROM pg_class
                      WHERE relnamespace = current_schema()::regnamespace)),
wanted (part, triggers) AS (
  VALUES ('change feed', {FEED_TRIGGERS}), ('audit record', {AUDIT_TRIGGERS}), ('set of rules', 1))
SELECT format('trigger %1$s of table %2$s is not ENABLE ALWAYS '
              '(ALTER TABLE %2$s ENABLE ALWAYS TRIGGER %1$I makes it so)', tgname, place)
  FROM ours WHERE tgenabled <> 'A'
UNION ALL
SELECT format('the %s has %s triggers instead of %s', part, count(tgname), triggers)
  FROM wanted LEFT JOIN ours USING (part) GROUP BY part, triggers
HAVING count(tgname) <> triggers
UNION ALL
SELECT format('function %1$s may be called by everybody, with its owner''s rights '
              '(REVOKE EXECUTE ON FUNCTION %1$s FROM PUBLIC ends that)', oid::regprocedure)
  FROM pg_proc
 WHERE pronamespace = current_schema()::regnamespace AND prosecdef
   AND (proname LIKE 'feed\_%' OR proname LIKE 'audit\_%')
   AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                WHERE grantee = 0 AND privilege_type = 'EXECUTE')
 ORDER BY 1
"""
