-- Rows a DBA writes go through C, which checks and seals them.

CREATE TRIGGER sw_destinations_write
	INSTEAD OF INSERT OR UPDATE OR DELETE ON sw_destinations
	FOR EACH ROW EXECUTE FUNCTION _sensorswave.destination_trigger();
COMMENT ON TRIGGER sw_destinations_write ON sw_destinations IS
	'checks the row, seals its secrets and stores it';

CREATE TRIGGER sw_pipelines_write
	INSTEAD OF INSERT OR UPDATE OR DELETE ON sw_pipelines
	FOR EACH ROW EXECUTE FUNCTION _sensorswave.pipeline_trigger();
COMMENT ON TRIGGER sw_pipelines_write ON sw_pipelines IS
	'checks the row and stores it; the target table is made after commit';

CREATE TRIGGER wake
	AFTER INSERT ON _sensorswave.pipeline
	FOR EACH STATEMENT EXECUTE FUNCTION _sensorswave.wake_trigger();
COMMENT ON TRIGGER wake ON _sensorswave.pipeline IS
	'has pipelines that a restored dump brings in looked at';
