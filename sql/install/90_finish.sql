-- The launcher learns of this database when CREATE EXTENSION commits.
SELECT _sensorswave.wake();
