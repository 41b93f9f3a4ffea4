/*-------------------------------------------------------------------------
 *
 * sw_lease.c
 *	  The lease: an object in the staging store that says which instance
 *	  loads into a pipeline's target, and how far it has got.
 *
 * Number and token stand in the ledger before they are written to the store.
 * So after a crash, or where the store refused, the store is behind the
 * ledger; it can be ahead of it, or have another token, only if somebody else
 * has written it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "catalog/sw_cat_fence.h"
#include "common/sw_lease_text.h"
#include "net/sw_report.h"
#include "sync/sw_lease.h"
#include "sync/sw_tx.h"

typedef enum Found
{
	FOUND_NOTHING,
	FOUND_LEASE,
	FOUND_GARBAGE				/* something that is no lease */
} Found;

char *
sw_lease_make_token(void)
{
	unsigned char bytes[SW_LEASE_TOKEN_LENGTH / 2];
	char	   *token = palloc(SW_LEASE_TOKEN_LENGTH + 1);
	int			i;

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	for (i = 0; i < (int) sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return token;
}

static char *
name_object(const SwPipeline *pipeline, const SwDestination *destination)
{
	const char *prefix = destination->stage_prefix;

	return psprintf("%s%s_lease/" INT64_FORMAT "-%016llx", prefix,
					prefix[0] != '\0' ? "/" : "", pipeline->pipeline_id,
					(unsigned long long) pipeline->created_at);
}

/* ---- the object ---- */

static Found
read_object(SwStore *store, const char *key, SwLeaseText *object)
{
	char	   *bytes;
	int			n;
	SwError		err;
	SwStatus	status;

	/* One byte more than it may have shows that it has more. */
	status = sw_store_get(store, key, 0, SW_LEASE_MAX_TEXT + 1, &bytes, &n,
						  &err);
	if (status == SW_ERR_MISSING)
		return FOUND_NOTHING;
	if (err.remote_code == 416)
		return FOUND_GARBAGE;
	if (status != SW_OK)
		sw_report(ERROR, &err);
	return sw_lease_text_read(bytes, n, object) ? FOUND_LEASE : FOUND_GARBAGE;
}

static int
read_text(void *arg, int64 offset, char *buf, int len)
{
	const char *text = arg;
	int			n = Min(len, (int) strlen(text) - (int) offset);

	memcpy(buf, text + offset, n);
	return n;
}

static void
write_object(SwStore *store, const char *key, int64 number, const char *token)
{
	SwLeaseText object = {.number = number};
	SwBody		body = {.read = read_text};
	SwError		err;

	strlcpy(object.token, token, sizeof(object.token));
	snprintf(object.holder, sizeof(object.holder), UINT64_FORMAT "/%u",
			 GetSystemIdentifier(), MyDatabaseId);
	body.arg = sw_lease_text_write(&object);
	body.n_bytes = strlen(body.arg);
	if (sw_store_put(store, key, &body, &err) != SW_OK)
		sw_report(ERROR, &err);
}

/* ---- before a load ---- */

static SwLease *
get_lease(const SwPipeline *pipeline, char **closed_because)
{
	SwLease    *lease;

	sw_tx_begin("looking at a pipeline's lease");
	lease = sw_cat_lease_get(pipeline->pipeline_id);
	*closed_because = sw_cat_fence_get_reason(pipeline->pipeline_id);
	sw_tx_commit();
	return lease;
}

/* Is it what the ledger has written last, or something before that? */
static bool
is_ours(const SwLease *lease, Found found, const SwLeaseText *object)
{
	if (found == FOUND_NOTHING)
		return true;
	return found == FOUND_LEASE && lease->token != NULL &&
		strcmp(lease->token, object->token) == 0 &&
		object->number <= lease->number;
}

static char *
describe_rival(const char *key, Found found, const SwLeaseText *object)
{
	if (found == FOUND_GARBAGE)
		return psprintf("object %s, which should say who works on this pipeline, cannot be understood",
						key);
	return psprintf("another instance works on this pipeline: object %s was written by %s (system identifier and database)",
					key, object->holder);
}

static void
close_fence(const SwPipeline *pipeline, const char *reason)
{
	sw_tx_begin("pausing a pipeline that another instance works on");
	sw_cat_fence_close(pipeline->pipeline_id, reason);
	sw_tx_commit();
	ereport(LOG,
			(errmsg("pipeline \"%s\" is paused: %s", pipeline->name, reason)));
}

static void
refuse(const SwPipeline *pipeline, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("pipeline \"%s\" is paused: %s", pipeline->name, reason),
			 errhint("Find out which instance is to go on, stop the other, then call sw_adopt on the former.")));
}

void
sw_lease_raise(const SwPipeline *pipeline, const SwConnect *connect,
			   SwStore *store)
{
	char	   *reason;
	SwLease    *lease = get_lease(pipeline, &reason);
	char	   *key = name_object(pipeline, connect->destination);
	SwLeaseText object;
	Found		found;

	if (lease == NULL)
		elog(ERROR, "pipeline " INT64_FORMAT " has no lease",
			 pipeline->pipeline_id);
	if (reason != NULL)
		refuse(pipeline, reason);
	/* Adopted while this worker was at it: the next one takes it over. */
	if (lease->takeover != SW_TAKEOVER_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("pipeline \"%s\" is being taken over", pipeline->name)));
	found = read_object(store, key, &object);
	if (!is_ours(lease, found, &object))
	{
		reason = describe_rival(key, found, &object);
		close_fence(pipeline, reason);
		refuse(pipeline, reason);
	}
	lease->number++;
	if (lease->token == NULL)
		lease->token = sw_lease_make_token();
	sw_tx_begin("raising a pipeline's lease");
	sw_cat_lease_raise(pipeline->pipeline_id, lease->number, lease->token);
	sw_tx_commit();
	write_object(store, key, lease->number, lease->token);
}

/* ---- from another instance ---- */

static void
disown(const SwPipeline *pipeline)
{
	sw_tx_begin("disowning what another instance has staged");
	sw_cat_fence_disown(pipeline->pipeline_id);
	sw_tx_commit();
	ereport(LOG,
			(errmsg("pipeline \"%s\" is taken over from an instance that has loaded more than this one knows of",
					pipeline->name),
			 errdetail("What that instance has staged is left alone, and rows that it has delivered since may be delivered again."),
			 errhint("Backfill the days since then.")));
}

/* Is it to be written with the next token?  Then also with which number. */
static bool
settle(const SwPipeline *pipeline, const SwLease *lease, const char *key,
	   Found found, const SwLeaseText *object, int64 *number)
{
	*number = lease->number;
	if (found == FOUND_LEASE)
		*number = Max(lease->number, object->number);
	(*number)++;
	/* An attempt before this one has got as far as that. */
	if (found == FOUND_LEASE &&
		strcmp(object->token, lease->next_token) == 0)
		return true;
	if (found == FOUND_NOTHING ? lease->number == 0 :
		is_ours(lease, found, object))
		return true;
	if (lease->takeover == SW_TAKEOVER_AUTOMATIC && found != FOUND_NOTHING &&
		!(found == FOUND_LEASE && lease->token != NULL &&
		  strcmp(lease->token, object->token) == 0))
	{
		close_fence(pipeline, describe_rival(key, found, object));
		return false;
	}
	disown(pipeline);
	return true;
}

bool
sw_lease_take_over(const SwPipeline *pipeline, const SwConnect *connect)
{
	char	   *reason;
	SwLease    *lease = get_lease(pipeline, &reason);
	SwStore    *store = sw_connect_store(connect, CurrentMemoryContext);
	char	   *key = name_object(pipeline, connect->destination);
	SwLeaseText object;
	Found		found;
	int64		number;
	bool		is_taken;

	found = read_object(store, key, &object);
	is_taken = settle(pipeline, lease, key, found, &object, &number);
	if (is_taken)
	{
		write_object(store, key, number, lease->next_token);
		sw_tx_begin("recording a lease that was taken over");
		sw_cat_lease_end_takeover(pipeline->pipeline_id, number);
		sw_tx_commit();
	}
	sw_store_close(store);
	return is_taken;
}

/* ---- the end ---- */

void
sw_lease_release(const SwPipeline *pipeline)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "SwLease",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext saved = MemoryContextSwitchTo(context);
	char	   *reason;
	SwLease    *lease = get_lease(pipeline, &reason);
	SwConnect  *connect;
	SwStore    *store;
	SwLeaseText object;
	char	   *key;
	SwError		err;

	sw_tx_begin("reading a destination");
	connect = sw_connect_load(pipeline->destination_id, context);
	sw_tx_commit();
	store = sw_connect_store(connect, context);
	key = name_object(pipeline, connect->destination);
	if (read_object(store, key, &object) == FOUND_LEASE &&
		is_ours(lease, FOUND_LEASE, &object) &&
		sw_store_delete(store, key, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_store_close(store);
	sw_tx_begin("recording a deleted lease");
	sw_cat_lease_forget(pipeline->pipeline_id);
	sw_tx_commit();
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}

void
sw_lease_warn(const SwPipeline *pipeline)
{
	SwLease    *lease = sw_cat_lease_get(pipeline->pipeline_id);
	SwDestination *destination;

	if (lease == NULL || lease->number == 0)
		return;
	destination = sw_cat_destination_get(pipeline->destination_id);
	ereport(WARNING,
			(errmsg("the lease of pipeline \"%s\" could not be deleted",
					pipeline->name),
			 errhint("Delete object \"%s\" in bucket \"%s\".",
					 name_object(pipeline, destination),
					 destination->stage_bucket)));
}
