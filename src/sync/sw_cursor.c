/*-------------------------------------------------------------------------
 *
 * sw_cursor.c
 *	  The cursor of a pipeline: the target column by which its source is read
 *	  from a point in time on.
 *
 * Contract: sw_cursor.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "source/sw_expr.h"
#include "source/sw_identity.h"
#include "source/sw_relation.h"
#include "sync/sw_cursor.h"
#include "sync/sw_schedule.h"

#define MIN_SLACK_US (10 * USECS_PER_SEC)
#define CLOCK_SLACK_US MIN_SLACK_US
#define DEFAULT_SLACK_US USECS_PER_HOUR
#define MIN_SWEEP_US USECS_PER_SEC
#define DEFAULT_SWEEP_US USECS_PER_DAY
#define MAX_INTERVAL_US (3660 * USECS_PER_DAY)

int
sw_cursor_find_column(const SwShape *shape, const char *name)
{
	int			i;

	for (i = 0; name != NULL && i < shape->n_columns; i++)
		if (strcmp(shape->columns[i].name, name) == 0)
			return i;
	return -1;
}

/* The SQL expression that a target column comes from. */
static const char *
get_expression(const SwPlan *plan, const char *name)
{
	int			i = sw_cursor_find_column(plan->shape, name);

	if (plan->query.columns[i].expression != NULL)
		return plan->query.columns[i].expression;
	return quote_identifier(name);
}

/* Its type, where that tells time; else InvalidOid, and *type_out. */
static Oid
get_time_type(const SwPlan *plan, const char *name, Oid *type_out)
{
	Oid			type = sw_expr_get_type(plan->query.relation, name,
										get_expression(plan, name), NULL);

	*type_out = type;
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID ?
		type : InvalidOid;
}

static void
check_column(const SwPlan *plan, const char *setting, const char *name)
{
	Oid			type;

	if (sw_cursor_find_column(plan->shape, name) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("%s \"%s\" is not a column of the target", setting, name)));
	if (!OidIsValid(get_time_type(plan, name, &type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s \"%s\" comes from type %s", setting, name,
						format_type_be(type)),
				 errhint("Use a column that comes from timestamp with time zone, timestamp or date, or cast its expression in columns.")));
}

/* The data model's cursor, unless its values are parsed from text. */
static void
set_default_cursor(SwPipeline *row, const SwPlan *plan)
{
	const char *name = plan->shape->cursor_column;
	Oid			type;

	if (name == NULL)
		return;
	if (OidIsValid(get_time_type(plan, name, &type)))
	{
		row->cursor_column = pstrdup(name);
		return;
	}
	ereport(WARNING,
			(errmsg("pipeline \"%s\" has no cursor", row->name),
			 errdetail("Column \"%s\" comes from type %s, so each sync reads all of the source.",
					   name, format_type_be(type)),
			 errhint("Make another one whose expression for \"%s\" is a timestamp with time zone, timestamp or date.",
					 name)));
}

static void
set_columns(SwPipeline *row, const SwPlan *plan)
{
	const char *model_time = plan->shape->time_column < 0 ? NULL :
	plan->shape->columns[plan->shape->time_column].name;

	if (row->cursor_column == NULL)
		set_default_cursor(row, plan);
	else
		check_column(plan, "cursor_column", row->cursor_column);

	if (row->time_column == NULL && model_time != NULL)
		row->time_column = pstrdup(model_time);
	else if (plan->shape->is_partitioned &&
			 strcmp(row->time_column, model_time) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time_column of data source \"%s\" is \"%s\"",
						row->data_source, model_time),
				 errhint("Leave time_column NULL.")));
	else if (row->time_column != NULL &&
			 (model_time == NULL || strcmp(row->time_column, model_time) != 0))
		check_column(plan, "time_column", row->time_column);
}

static Interval *
interval_of_us(int64 us)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->day = (int32) (us / USECS_PER_DAY);
	interval->time = us % USECS_PER_DAY;
	return interval;
}

static void
check_interval(const Interval *interval, const char *column, int64 min_us)
{
	int64		us = sw_schedule_interval_us(interval);

	/* Each of its parts could overflow the sum. */
	if (us < min_us || us > MAX_INTERVAL_US ||
		abs(interval->month) > 1200 || abs(interval->day) > 36600)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be %d %s to ten years", column,
						(int) (min_us / USECS_PER_SEC),
						min_us == USECS_PER_SEC ? "second" : "seconds")));
}

static void
set_intervals(SwPipeline *row, const SwPlan *plan)
{
	if (row->cursor_slack == NULL)
		row->cursor_slack =
			interval_of_us(row->cursor_column != NULL &&
						   sw_relation_has_clock_default(row->source,
														 row->cursor_column,
														 get_expression(plan, row->cursor_column)) ?
						   CLOCK_SLACK_US : DEFAULT_SLACK_US);
	if (row->sweep_every == NULL)
		row->sweep_every = interval_of_us(DEFAULT_SWEEP_US);
	check_interval(row->cursor_slack, "cursor_slack", MIN_SLACK_US);
	check_interval(row->sweep_every, "sweep_every", MIN_SWEEP_US);
}

/* The statement that would make the index. */
static char *
describe_index(const SwPipeline *row, const char *expression)
{
	AttrNumber	attribute = sw_expr_get_attribute(row->source,
												  row->cursor_column, expression);

	return psprintf("CREATE INDEX ON %s (%s);",
					sw_expr_relation_name(row->source),
					attribute != InvalidAttrNumber ?
					quote_identifier(get_attname(row->source, attribute, false)) :
					sw_expr_wrap(expression));
}

static void
warn_of_sync(const SwPipeline *row, const SwPlan *plan)
{
	const char *expression;

	if (!sw_relation_has_versions(row->source))
	{
		if (row->cursor_column == NULL)
			ereport(WARNING,
					(errmsg("sync of pipeline \"%s\" cannot tell new rows from old ones",
							row->name),
					 errdetail("\"%s\" has no row versions, and the pipeline has no cursor_column.",
							   get_rel_name(row->source)),
					 errhint("Give cursor_column, a column that tells when a row was last changed; without, only backfills bring rows.")));
		return;
	}
	if (row->cursor_column == NULL)
		return;
	expression = get_expression(plan, row->cursor_column);
	if (!sw_relation_has_index(row->source, row->cursor_column, expression))
		ereport(WARNING,
				(errmsg("no index serves the cursor of pipeline \"%s\"", row->name),
				 errdetail("Each sync reads all of \"%s\" to find rows by \"%s\".",
						   get_rel_name(row->source), row->cursor_column),
				 errhint("%s", describe_index(row, expression))));
}

void
sw_cursor_complete(SwPipeline *row, const SwPipeline *old, const SwPlan *plan)
{
	SwIdentity	identity;

	sw_identity_enter(row->owner, row->source, row->system_timezone, &identity);
	if (old == NULL)
		set_columns(row, plan);
	else if (row->cursor_column != NULL)
		check_column(plan, "cursor_column", row->cursor_column);
	set_intervals(row, plan);
	if (old == NULL)
		warn_of_sync(row, plan);
	sw_identity_leave(&identity);
}
