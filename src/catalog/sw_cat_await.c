/*-------------------------------------------------------------------------
 *
 * sw_cat_await.c
 *	  Backfills and runs in the catalog, as somebody sees them who waits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "utils/snapmgr.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

static SwAwaited *
look(int64 id, const char *sql)
{
	SwSpi		spi;
	SwAwaited  *awaited = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, id);
	sw_spi_exec_snapshot(&spi, sql, GetLatestSnapshot());
	if (spi.n_rows > 0)
	{
		bool		isnull;

		awaited = MemoryContextAllocZero(spi.result_context, sizeof(SwAwaited));
		awaited->status = sw_spi_get_text(&spi, 0, "status");
		awaited->owner = DatumGetObjectId(sw_spi_get(&spi, 0, "owner", &isnull));
		awaited->is_own_transaction =
			TransactionIdIsCurrentTransactionId(DatumGetTransactionId(sw_spi_get(&spi, 0, "xmin", &isnull)));
		awaited->has_ended = sw_spi_get_bool(&spi, 0, "has_ended");
		awaited->sqlstate = sw_spi_get_text(&spi, 0, "sqlstate");
		awaited->error = sw_spi_get_text(&spi, 0, "error");
		awaited->detail = sw_spi_get_text(&spi, 0, "detail");
		awaited->hint = sw_spi_get_text(&spi, 0, "hint");
	}
	sw_spi_end(&spi);
	return awaited;
}

SwAwaited *
sw_cat_backfill_look(int64 backfill_id)
{
	return look(backfill_id, "SELECT b.status, b.xmin, p.owner::oid AS owner,"
				" b.status IN ('success', 'failed', 'cancelled') AS has_ended,"
				" r.sqlstate, b.error, r.detail, b.hint"
				" FROM _sensorswave.backfill b"
				" JOIN _sensorswave.pipeline p USING (pipeline_id)"
				" LEFT JOIN LATERAL (SELECT r.sqlstate, r.detail"
				" FROM _sensorswave.backfill_window w"
				" JOIN _sensorswave.run r USING (run_id)"
				" WHERE w.backfill_id = b.backfill_id AND r.status = 'failed'"
				" ORDER BY r.run_id DESC LIMIT 1) r ON true"
				" WHERE b.backfill_id = $1");
}

SwAwaited *
sw_cat_run_look(int64 run_id)
{
	return look(run_id, "SELECT r.status, r.xmin, p.owner::oid AS owner,"
				" r.status IN ('success', 'failed', 'cancelled') AS has_ended,"
				" r.sqlstate, r.error, r.detail, r.hint"
				" FROM _sensorswave.run r"
				" JOIN _sensorswave.pipeline p USING (pipeline_id)"
				" WHERE r.run_id = $1");
}

void
sw_cat_commit_call(void)
{
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	SPI_commit();
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}
