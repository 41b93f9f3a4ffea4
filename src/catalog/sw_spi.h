/*-------------------------------------------------------------------------
 *
 * sw_spi.h
 *	  The few SPI operations that src/catalog is made of.
 *
 * Between sw_spi_begin and sw_spi_end statements run as the bootstrap
 * superuser with a pinned search_path: our tables are ours, whoever calls.
 * An error in between needs no sw_spi_end; transaction abort restores user
 * and settings.  Rights are therefore checked by the callers, before.
 *
 * Results (text and so on) are palloc'd in the context that was current at
 * sw_spi_begin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SPI_H
#define SW_SPI_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/snapshot.h"

#define SW_SPI_MAX_ARGS 40

typedef struct SwSpi
{
	MemoryContext result_context;
	Oid			saved_userid;
	int			saved_sec_context;
	int			saved_nestlevel;
	bool		pushed_snapshot;

	/* the result of the last sw_spi_exec */
	uint64		n_rows;			/* rows returned or affected */

	/* arguments of the next sw_spi_exec; cleared by it */
	int			n_args;
	Oid			arg_types[SW_SPI_MAX_ARGS];
	Datum		arg_values[SW_SPI_MAX_ARGS];
	char		arg_nulls[SW_SPI_MAX_ARGS];
} SwSpi;

extern void sw_spi_begin(SwSpi *spi);
extern void sw_spi_end(SwSpi *spi);

extern void sw_spi_arg(SwSpi *spi, Oid type, Datum value, bool isnull);

/* NULL pointers become SQL nulls. */
extern void sw_spi_arg_text(SwSpi *spi, const char *value);
extern void sw_spi_arg_int64(SwSpi *spi, int64 value);
extern void sw_spi_arg_int32(SwSpi *spi, int32 value);
extern void sw_spi_arg_bool(SwSpi *spi, bool value);
extern void sw_spi_arg_date(SwSpi *spi, DateADT value);
extern void sw_spi_arg_time(SwSpi *spi, TimestampTz value);

/*
 * Run one statement with the arguments collected; throws unless SPI reports
 * success.  Rows stay readable until the next sw_spi_exec or sw_spi_end.
 */
extern void sw_spi_exec(SwSpi *spi, const char *sql);

/* The same under the given snapshot, read-only. */
extern void sw_spi_exec_snapshot(SwSpi *spi, const char *sql,
								 Snapshot snapshot);

/* Row i of the result and its descriptor. */
extern HeapTuple sw_spi_row(SwSpi *spi, uint64 i, TupleDesc *tupdesc_out);

/* Values of row i by column name. */
extern Datum sw_spi_get(SwSpi *spi, uint64 i, const char *column,
						bool *isnull);
extern char *sw_spi_get_text(SwSpi *spi, uint64 i, const char *column);
extern int64 sw_spi_get_int64(SwSpi *spi, uint64 i, const char *column);
extern int32 sw_spi_get_int32(SwSpi *spi, uint64 i, const char *column);
extern bool sw_spi_get_bool(SwSpi *spi, uint64 i, const char *column);

#endif							/* SW_SPI_H */
