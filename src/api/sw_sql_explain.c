/*-------------------------------------------------------------------------
 *
 * sw_sql_explain.c
 *	  Looking at a pipeline, and a view on its target: sw_explain_pipeline,
 *	  sw_create_current_view.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "sync/sw_check.h"
#include "sync/sw_explain.h"
#include "sync/sw_pipeline.h"

PG_FUNCTION_INFO_V1(sw_sql_explain_pipeline);
PG_FUNCTION_INFO_V1(sw_sql_create_current_view);

Datum
sw_sql_explain_pipeline(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *lines = sw_explain_pipeline(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	foreach(cell, lines)
	{
		Datum		value = CStringGetTextDatum((char *) lfirst(cell));
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}

Datum
sw_sql_create_current_view(PG_FUNCTION_ARGS)
{
	SwPipeline *pipeline = sw_pipeline_look_up(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_TEXT_P(cstring_to_text(sw_check_create_current_view(pipeline)));
}
