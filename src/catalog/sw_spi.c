/*-------------------------------------------------------------------------
 *
 * sw_spi.c
 *	  The few SPI operations that src/catalog is made of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/sw_spi.h"

void
sw_spi_begin(SwSpi *spi)
{
	memset(spi, 0, sizeof(*spi));
	spi->result_context = CurrentMemoryContext;

	GetUserIdAndSecContext(&spi->saved_userid, &spi->saved_sec_context);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID,
						   spi->saved_sec_context | SECURITY_LOCAL_USERID_CHANGE);
	spi->saved_nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);

	if (!ActiveSnapshotSet())
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		spi->pushed_snapshot = true;
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
sw_spi_end(SwSpi *spi)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	if (spi->pushed_snapshot)
		PopActiveSnapshot();
	AtEOXact_GUC(true, spi->saved_nestlevel);
	SetUserIdAndSecContext(spi->saved_userid, spi->saved_sec_context);
	MemoryContextSwitchTo(spi->result_context);
}

void
sw_spi_arg(SwSpi *spi, Oid type, Datum value, bool isnull)
{
	if (spi->n_args >= SW_SPI_MAX_ARGS)
		elog(ERROR, "too many arguments in a catalog statement");
	spi->arg_types[spi->n_args] = type;
	spi->arg_values[spi->n_args] = value;
	spi->arg_nulls[spi->n_args] = isnull ? 'n' : ' ';
	spi->n_args++;
}

void
sw_spi_arg_text(SwSpi *spi, const char *value)
{
	sw_spi_arg(spi, TEXTOID,
			   value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
sw_spi_arg_int64(SwSpi *spi, int64 value)
{
	sw_spi_arg(spi, INT8OID, Int64GetDatum(value), false);
}

void
sw_spi_arg_int32(SwSpi *spi, int32 value)
{
	sw_spi_arg(spi, INT4OID, Int32GetDatum(value), false);
}

void
sw_spi_arg_bool(SwSpi *spi, bool value)
{
	sw_spi_arg(spi, BOOLOID, BoolGetDatum(value), false);
}

void
sw_spi_arg_date(SwSpi *spi, DateADT value)
{
	sw_spi_arg(spi, DATEOID, DateADTGetDatum(value), false);
}

void
sw_spi_arg_time(SwSpi *spi, TimestampTz value)
{
	sw_spi_arg(spi, TIMESTAMPTZOID, TimestampTzGetDatum(value), false);
}

static void
finish_exec(SwSpi *spi, int result, const char *sql)
{
	if (result < 0)
		elog(ERROR, "catalog statement failed: %s: %s",
			 SPI_result_code_string(result), sql);
	spi->n_rows = SPI_processed;
	spi->n_args = 0;
}

void
sw_spi_exec(SwSpi *spi, const char *sql)
{
	finish_exec(spi,
				SPI_execute_with_args(sql, spi->n_args, spi->arg_types,
									  spi->arg_values, spi->arg_nulls,
									  false, 0),
				sql);
}

void
sw_spi_exec_snapshot(SwSpi *spi, const char *sql, Snapshot snapshot)
{
	int			result;

	PushActiveSnapshot(snapshot);
	result = SPI_execute_with_args(sql, spi->n_args, spi->arg_types,
								   spi->arg_values, spi->arg_nulls, true, 0);
	PopActiveSnapshot();
	finish_exec(spi, result, sql);
}

HeapTuple
sw_spi_row(SwSpi *spi, uint64 i, TupleDesc *tupdesc_out)
{
	if (SPI_tuptable == NULL || i >= spi->n_rows)
		elog(ERROR, "catalog statement returned no row " UINT64_FORMAT, i);
	*tupdesc_out = SPI_tuptable->tupdesc;
	return SPI_tuptable->vals[i];
}

Datum
sw_spi_get(SwSpi *spi, uint64 i, const char *column, bool *isnull)
{
	TupleDesc	tupdesc;
	HeapTuple	row = sw_spi_row(spi, i, &tupdesc);
	int			number = SPI_fnumber(tupdesc, column);

	if (number == SPI_ERROR_NOATTRIBUTE)
		elog(ERROR, "catalog statement returned no column \"%s\"", column);
	return SPI_getbinval(row, tupdesc, number, isnull);
}

/* NULL for a null. */
char *
sw_spi_get_text(SwSpi *spi, uint64 i, const char *column)
{
	bool		isnull;
	Datum		value = sw_spi_get(spi, i, column, &isnull);
	MemoryContext saved;
	char	   *result;

	if (isnull)
		return NULL;
	saved = MemoryContextSwitchTo(spi->result_context);
	result = TextDatumGetCString(value);
	MemoryContextSwitchTo(saved);
	return result;
}

/* 0 for a null, as the two below. */
int64
sw_spi_get_int64(SwSpi *spi, uint64 i, const char *column)
{
	bool		isnull;
	Datum		value = sw_spi_get(spi, i, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

int32
sw_spi_get_int32(SwSpi *spi, uint64 i, const char *column)
{
	bool		isnull;
	Datum		value = sw_spi_get(spi, i, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

bool
sw_spi_get_bool(SwSpi *spi, uint64 i, const char *column)
{
	bool		isnull;
	Datum		value = sw_spi_get(spi, i, column, &isnull);

	return isnull ? false : DatumGetBool(value);
}
