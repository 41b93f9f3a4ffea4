/*-------------------------------------------------------------------------
 *
 * sw_store_list.c
 *	  Lists of what is in an object store, and deletion of many objects.
 *
 * Lists come in pages.  A store may hand out empty pages, and a broken or
 * hostile one the same page for ever; so keys must rise from entry to entry,
 * a marker must differ from the last one, and empty pages are counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "store/sw_store_kind.h"

/* Pages in a row without an entry. */
#define SW_STORE_MAX_EMPTY_PAGES 100

/* Unfinished uploads of one key: every one was a run that broke off. */
#define SW_STORE_MAX_UPLOADS 1000

/* Failed deletions that an error names. */
#define SW_STORE_MAX_NAMED	3

/* A list as it is read: page_cxt holds the page, and is reset for each. */
typedef struct SwStoreListing
{
	SwStore    *store;
	SwStoreRequest request;
	SwStoreResult result;
	MemoryContext page_cxt;
	int			n_empty;
	char		marker[SW_STORE_MARKER_SIZE];
	char		upload_marker[SW_STORE_UPLOAD_ID_SIZE];
	char	   *last_key;		/* of the entries before; or NULL */
} SwStoreListing;

static SwStoreListing *
sw_store_begin_listing(SwStore *store, SwStoreOperation operation,
					   const char *prefix)
{
	SwStoreListing *listing = palloc0(sizeof(SwStoreListing));

	listing->store = store;
	listing->page_cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "SwStorePage",
											  ALLOCSET_DEFAULT_SIZES);
	listing->result.cxt = listing->page_cxt;
	listing->request.operation = operation;
	listing->request.prefix = prefix;
	listing->request.marker = listing->marker;
	listing->request.upload_marker = listing->upload_marker;
	return listing;
}

static void
sw_store_end_listing(SwStoreListing *listing)
{
	MemoryContextDelete(listing->page_cxt);
	if (listing->last_key != NULL)
		pfree(listing->last_key);
	pfree(listing);
}

static SwStatus
sw_store_refuse_page(const SwStoreListing *listing, SwError *err)
{
	sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_LATER,
				 "%s lists \"%s/%s\" without an end", listing->store->peer,
				 listing->store->options.bucket, listing->request.prefix);
	sw_error_set_detail(err, "Its pages do not follow each other.");
	return SW_ERR_PROTOCOL;
}

/* Is the page what comes after the ones before? */
static bool
sw_store_is_next_page(const SwStoreListing *listing)
{
	const SwStorePage *page = &listing->result.page;
	bool		may_repeat = listing->request.operation == SW_STORE_LIST_UPLOADS;
	const char *last = listing->last_key;

	if (page->is_truncated &&
		(page->marker[0] == '\0' ||
		 (strcmp(page->marker, listing->marker) == 0 &&
		  strcmp(page->upload_marker, listing->upload_marker) == 0)))
		return false;
	for (int i = 0; i < page->n_entries; i++)
	{
		const char *key = page->entries[i].key;
		int			order = last != NULL ? strcmp(last, key) : -1;

		if (order > 0 || (order == 0 && !may_repeat))
			return false;
		last = key;
	}
	return page->n_entries > 0 || !page->is_truncated ||
		listing->n_empty < SW_STORE_MAX_EMPTY_PAGES;
}

/* Read the next page; result.page.is_truncated tells of more. */
static SwStatus
sw_store_next_page(SwStoreListing *listing, SwError *err)
{
	const SwStorePage *page = &listing->result.page;

	strlcpy(listing->marker, page->marker, sizeof(listing->marker));
	strlcpy(listing->upload_marker, page->upload_marker,
			sizeof(listing->upload_marker));
	MemoryContextReset(listing->page_cxt);
	SW_TRY(sw_store_perform(listing->store, &listing->request,
							&listing->result, err));
	listing->n_empty = page->n_entries > 0 ? 0 : listing->n_empty + 1;
	if (!sw_store_is_next_page(listing))
		return sw_store_refuse_page(listing, err);
	if (page->n_entries > 0)
	{
		if (listing->last_key != NULL)
			pfree(listing->last_key);
		listing->last_key = pstrdup(page->entries[page->n_entries - 1].key);
	}
	return SW_OK;
}

/* ---- objects ---- */

SwStatus
sw_store_list(SwStore *store, const char *prefix, int max_objects,
			  SwStoreObject **objects_out, int *n_out, bool *is_complete,
			  SwError *err)
{
	SwStoreListing *listing = sw_store_begin_listing(store, SW_STORE_LIST,
													 prefix);
	const SwStorePage *page = &listing->result.page;
	SwStoreObject *objects = palloc(sizeof(SwStoreObject) *
									Max(max_objects, 1));
	SwStatus	status = SW_OK;
	int			n = 0;
	bool		has_more = true;

	while (status == SW_OK && has_more && n < max_objects)
	{
		int			i;

		status = sw_store_next_page(listing, err);
		if (status != SW_OK)
			break;
		for (i = 0; i < page->n_entries && n < max_objects; i++, n++)
		{
			const SwStoreEntry *entry = &page->entries[i];

			memset(&objects[n], 0, sizeof(SwStoreObject));
			objects[n].key = pstrdup(entry->key);
			objects[n].n_bytes = entry->n_bytes;
			objects[n].etag = pstrdup(entry->etag != NULL ? entry->etag : "");
		}
		has_more = page->is_truncated || i < page->n_entries;
	}
	sw_store_end_listing(listing);
	*objects_out = objects;
	*n_out = n;
	*is_complete = !has_more;
	return status;
}

/* ---- uploads ---- */

SwStatus
sw_store_list_uploads(SwStore *store, const char *key, char ***ids_out,
					  int *n_out, SwError *err)
{
	SwStoreListing *listing;
	const SwStorePage *page;
	char	  **ids;
	SwStatus	status = SW_OK;
	int			n = 0;
	bool		has_more = true;

	SW_TRY(sw_store_check_key(key, err));
	listing = sw_store_begin_listing(store, SW_STORE_LIST_UPLOADS, key);
	page = &listing->result.page;
	ids = palloc(sizeof(char *) * SW_STORE_MAX_UPLOADS);
	while (has_more && n < SW_STORE_MAX_UPLOADS)
	{
		status = sw_store_next_page(listing, err);
		if (status != SW_OK)
			break;
		/* the key is a prefix only: others may begin with it, later on */
		has_more = page->is_truncated;
		for (int i = 0; i < page->n_entries && n < SW_STORE_MAX_UPLOADS; i++)
		{
			if (strcmp(page->entries[i].key, key) == 0)
				ids[n++] = pstrdup(page->entries[i].upload_id);
			else
				has_more = false;
		}
	}
	sw_store_end_listing(listing);
	*ids_out = ids;
	*n_out = n;
	return status;
}

/* ---- deletion of many ---- */

static SwStatus
sw_store_delete_singly(SwStore *store, const char *const *keys, int n_keys,
					   SwStatus *statuses, SwError *err)
{
	SwStatus	worst = SW_OK;

	for (int i = 0; i < n_keys; i++)
	{
		SwError		one;

		statuses[i] = sw_store_delete(store, keys[i], &one);
		if (statuses[i] == SW_OK)
			continue;
		if (worst == SW_OK)
			*err = one;
		worst = err->status;
	}
	return worst;
}

/* One is still there; if it is not told which, all may be. */
static void
sw_store_mark_survivor(const SwStoreEntry *entry, const char *const *keys,
					   int n_keys, SwStatus *statuses)
{
	SwStatus	status = entry->code != NULL &&
	strcmp(entry->code, "AccessDenied") == 0 ? SW_ERR_DENIED : SW_ERR_STORE;
	bool		is_known = false;

	for (int i = 0; i < n_keys && entry->key != NULL; i++)
	{
		if (strcmp(keys[i], entry->key) != 0)
			continue;
		statuses[i] = status;
		is_known = true;
	}
	for (int i = 0; i < n_keys && !is_known; i++)
		statuses[i] = status;
}

/* Some are still there: mark them, and name the first ones. */
static SwStatus
sw_store_report_survivors(const SwStore *store, const SwStorePage *page,
						  const char *const *keys, int n_keys,
						  SwStatus *statuses, SwError *err)
{
	StringInfoData names;
	int			n_failed = 0;
	bool		is_denied = true;

	initStringInfo(&names);
	for (int i = 0; i < page->n_entries; i++)
	{
		const SwStoreEntry *entry = &page->entries[i];
		const char *code = entry->code != NULL ? entry->code : "";

		if (strcmp(code, "NoSuchKey") == 0)
			continue;
		is_denied = is_denied && strcmp(code, "AccessDenied") == 0;
		sw_store_mark_survivor(entry, keys, n_keys, statuses);
		if (n_failed++ < SW_STORE_MAX_NAMED)
			appendStringInfo(&names, "%s\"%s\" (%s)",
							 n_failed > 1 ? ", " : "",
							 sw_store_redact(store, entry->key != NULL ?
											 entry->key : "", 200),
							 sw_store_redact(store, code, 64));
	}
	if (n_failed == 0)
		return SW_OK;

	sw_error_set(err, is_denied ? SW_ERR_DENIED : SW_ERR_STORE,
				 is_denied ? SW_RETRY_NEVER : SW_RETRY_LATER,
				 "%s deleted only some of %d objects", store->peer, n_keys);
	sw_error_set_detail(err, "Still there: %s%s.", names.data,
						n_failed > SW_STORE_MAX_NAMED ? " and others" : "");
	if (is_denied)
		sw_error_set_hint(err, "Grant the access key %s:DeleteObject on the bucket (stage_bucket in sw_destinations).",
						  store->ops->action_prefix);
	return err->status;
}

/* At most SW_STORE_MAX_DELETIONS of them, in one request. */
static SwStatus
sw_store_delete_batch(SwStore *store, const char *const *keys, int n_keys,
					  SwStatus *statuses, SwError *err)
{
	SwStoreRequest request = {
		.operation = SW_STORE_DELETE_MANY,
		.keys = keys,
		.n_keys = n_keys
	};
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "SwStoreDeletion",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_cxt = MemoryContextSwitchTo(cxt);
	SwStoreResult result = {.cxt = cxt};
	SwStatus	status;

	status = sw_store_perform(store, &request, &result, err);
	if (status == SW_OK)
		status = sw_store_report_survivors(store, &result.page, keys, n_keys,
										   statuses, err);
	else if (status == SW_ERR_UNSUPPORTED)
		status = sw_store_delete_singly(store, keys, n_keys, statuses, err);
	else
		for (int i = 0; i < n_keys; i++)
			statuses[i] = status;
	MemoryContextSwitchTo(old_cxt);
	MemoryContextDelete(cxt);
	return status;
}

SwStatus
sw_store_delete_many(SwStore *store, const char *const *keys, int n_keys,
					 SwStatus *statuses, SwError *err)
{
	SwStatus	worst = SW_OK;

	for (int i = 0; i < n_keys; i++)
	{
		SwStatus	status = sw_store_check_key(keys[i], err);

		/* then none is deleted */
		if (status != SW_OK)
		{
			for (i = 0; i < n_keys; i++)
				statuses[i] = status;
			return status;
		}
		statuses[i] = SW_OK;
	}
	for (int i = 0; i < n_keys; i += SW_STORE_MAX_DELETIONS)
	{
		int			n = Min(n_keys - i, SW_STORE_MAX_DELETIONS);
		SwError		one;
		SwStatus	status;

		/* a single one needs no document, nor a right to more */
		status = n == 1 ?
			sw_store_delete_singly(store, keys + i, n, statuses + i, &one) :
			sw_store_delete_batch(store, keys + i, n, statuses + i, &one);
		if (status != SW_OK && worst == SW_OK)
		{
			worst = status;
			*err = one;
		}
	}
	return worst;
}
