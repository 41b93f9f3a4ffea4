-- Default privileges of this database do not apply to what is ours: only
-- what this script grants is granted.
DO $$
DECLARE
	grantee regrole;
BEGIN
	FOR grantee IN
		SELECT DISTINCT acl.grantee
		FROM pg_catalog.pg_depend d
			JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
				AND e.extname = 'sensorswave_export'
			LEFT JOIN pg_catalog.pg_class c ON c.oid = d.objid
				AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
			LEFT JOIN pg_catalog.pg_proc p ON p.oid = d.objid
				AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
			LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.objid
				AND d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
			CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(c.relacl, p.proacl, n.nspacl)) acl
		WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
			AND d.deptype = 'e' AND acl.grantee <> 0
			AND acl.grantee <> coalesce(c.relowner, p.proowner, n.nspowner)
			AND acl.grantee <> 'pg_monitor'::pg_catalog.regrole
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON SCHEMA _sensorswave FROM %s', grantee);
		EXECUTE pg_catalog.format('REVOKE ALL ON ALL TABLES IN SCHEMA _sensorswave FROM %s', grantee);
		EXECUTE pg_catalog.format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA _sensorswave FROM %s', grantee);
		EXECUTE pg_catalog.format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA _sensorswave FROM %s', grantee);
	END LOOP;
END $$;

-- The launcher learns of this database when CREATE EXTENSION commits.
SELECT _sensorswave.wake();
