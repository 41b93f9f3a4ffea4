/*-------------------------------------------------------------------------
 *
 * sw_store_reply.c
 *	  What the documents of an object store say: errors, lists, upload ids.
 *
 * Pure: throws only when memory runs out.  Names are those of the S3 API and
 * of the official TOS SDKs; one table serves both.
 *
 * A list is taken whole or not at all: of a broken one, or of one with a
 * text longer than any store makes them, nothing is believed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_fieldscan.h"
#include "store/sw_store_reply.h"

/* Lines there is room for at first. */
#define SW_STORE_FIRST_ENTRIES 16

/* What a kind of list is called, in XML and in JSON. */
typedef struct SwStoreListNames
{
	const char *root;			/* XML */
	const char *record;
	const char *json_record;
	bool		is_error;		/* its entries are failures */
} SwStoreListNames;

static const SwStoreListNames sw_objects_names = {
	"ListBucketResult", "Contents", "Contents", false
};
static const SwStoreListNames sw_uploads_names = {
	"ListMultipartUploadsResult", "Upload", "Uploads", false
};
static const SwStoreListNames sw_deletions_names = {
	"DeleteResult", "Error", "Error", true
};

static SwStatus
sw_store_bad_reply(const char *what, SwError *err)
{
	return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_LATER,
						"the object store's reply is not %s", what);
}

/* Is it the document that was expected?  JSON does not say what it is. */
static bool
sw_store_has_root(const SwFieldScan *scan, const char *root)
{
	return !scan->is_xml || strcmp(scan->root, root) == 0;
}

/* ---- errors ---- */

void
sw_store_read_complaint(const char *document, Size len,
						SwStoreComplaint *complaint)
{
	const struct
	{
		const char *path;
		char	   *text;
		Size		size;
	}			fields[] = {
		{"Code", complaint->code, sizeof(complaint->code)},
		{"Message", complaint->message, sizeof(complaint->message)},
		{"RequestId", complaint->request_id, sizeof(complaint->request_id)},
		{"EC", complaint->error_number, sizeof(complaint->error_number)},
		{"Region", complaint->region, sizeof(complaint->region)},
		{"Endpoint", complaint->endpoint, sizeof(complaint->endpoint)},
		{"ServerTime", complaint->server_time, sizeof(complaint->server_time)}
	};
	SwFieldScan scan;
	SwFieldEvent event;

	memset(complaint, 0, sizeof(SwStoreComplaint));
	sw_field_scan_init(&scan, document, len);
	while ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
		   event == SW_FIELD_RECORD)
	{
		if (!sw_store_has_root(&scan, "Error"))
			return;
		for (int i = 0; i < (int) lengthof(fields); i++)
		{
			/* the first one counts */
			if (event == SW_FIELD_VALUE && fields[i].text[0] == '\0' &&
				strcmp(scan.path, fields[i].path) == 0)
				strlcpy(fields[i].text, scan.value, fields[i].size);
		}
	}
}

/* ---- lists ---- */

static bool
sw_store_read_size(const char *text, int64 *n_bytes)
{
	int64		value = 0;

	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
	{
		if (value > (PG_INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (*text - '0');
	}
	*n_bytes = value;
	return *text == '\0';
}

static bool
sw_store_copy_text(const SwFieldScan *scan, char *out, Size size)
{
	return strlcpy(out, scan->value, size) < size && !scan->is_cut;
}

/* One field of a line. */
static bool
sw_store_take_entry_field(const SwFieldScan *scan, const char *field,
						  SwStoreEntry *entry)
{
	const struct
	{
		const char *name;
		char	  **text;
	}			texts[] = {
		{"Key", &entry->key},
		{"UploadId", &entry->upload_id},
		{"ETag", &entry->etag},
		{"Code", &entry->code},
		{"Message", &entry->message}
	};

	if (strcmp(field, "Size") == 0)
		return sw_store_read_size(scan->value, &entry->n_bytes);
	for (int i = 0; i < (int) lengthof(texts); i++)
	{
		if (strcmp(field, texts[i].name) != 0)
			continue;
		if (*texts[i].text != NULL)
			return false;
		*texts[i].text = pstrdup(scan->value);
		return !scan->is_cut;
	}
	return true;
}

/* A field of the list itself. */
static bool
sw_store_take_page_field(const SwFieldScan *scan, SwStorePage *page)
{
	if (strcmp(scan->path, "IsTruncated") == 0)
		page->is_truncated = strcmp(scan->value, "true") == 0;
	else if (strcmp(scan->path, "NextContinuationToken") == 0 ||
			 strcmp(scan->path, "NextKeyMarker") == 0)
		return sw_store_copy_text(scan, page->marker, sizeof(page->marker));
	else if (strcmp(scan->path, "NextUploadIdMarker") == 0)
		return sw_store_copy_text(scan, page->upload_marker,
								  sizeof(page->upload_marker));
	return true;
}

static void
sw_store_add_entry(SwStorePage *page, int *n_room, const SwStoreEntry *entry)
{
	if (page->n_entries == *n_room)
	{
		*n_room = Max(*n_room * 2, SW_STORE_FIRST_ENTRIES);
		page->entries = page->entries == NULL ?
			palloc(sizeof(SwStoreEntry) * *n_room) :
			repalloc(page->entries, sizeof(SwStoreEntry) * *n_room);
	}
	page->entries[page->n_entries++] = *entry;
}

static bool
sw_store_read_page(const char *document, Size len,
				   const SwStoreListNames *names, SwStorePage *page)
{
	SwStoreEntry entry = {.n_bytes = -1};
	const char *record;
	SwFieldScan scan;
	SwFieldEvent event;
	Size		n_record;
	bool		is_record = false;	/* ... and not some other JSON */
	int			n_room = 0;

	memset(page, 0, sizeof(SwStorePage));
	sw_field_scan_init(&scan, document, len);
	record = scan.is_xml ? names->record : names->json_record;
	n_record = strlen(record);
	while ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
		   event == SW_FIELD_RECORD)
	{
		if (!sw_store_has_root(&scan, names->root))
			return false;
		if (event == SW_FIELD_VALUE)
		{
			bool		is_inside;

			is_inside = strncmp(scan.path, record, n_record) == 0 &&
				scan.path[n_record] == '/';

			if (is_inside ?
				!sw_store_take_entry_field(&scan, scan.path + n_record + 1,
										   &entry) :
				!sw_store_take_page_field(&scan, page))
				return false;
		}
		else if (scan.path[0] == '\0')
			is_record = true;
		else if (strcmp(scan.path, record) == 0)
		{
			if (entry.key == NULL && !names->is_error)
				return false;
			sw_store_add_entry(page, &n_room, &entry);
			memset(&entry, 0, sizeof(entry));
			entry.n_bytes = -1;
		}
	}
	return event == SW_FIELD_END && is_record;
}

SwStatus
sw_store_read_objects(const char *document, Size len, SwStorePage *page,
					  SwError *err)
{
	return sw_store_read_page(document, len, &sw_objects_names, page) ?
		SW_OK : sw_store_bad_reply("a list of objects", err);
}

SwStatus
sw_store_read_uploads(const char *document, Size len, SwStorePage *page,
					  SwError *err)
{
	if (!sw_store_read_page(document, len, &sw_uploads_names, page))
		return sw_store_bad_reply("a list of uploads", err);
	for (int i = 0; i < page->n_entries; i++)
	{
		if (page->entries[i].upload_id == NULL)
			return sw_store_bad_reply("a list of uploads", err);
	}
	return SW_OK;
}

SwStatus
sw_store_read_deletions(const char *document, Size len, SwStorePage *page,
						SwError *err)
{
	return sw_store_read_page(document, len, &sw_deletions_names, page) ?
		SW_OK : sw_store_bad_reply("a list of deletions", err);
}

/* ---- single fields ---- */

/* The first field at path, which may not be empty or cut. */
static bool
sw_store_read_field(const char *document, Size len, const char *root,
					const char *path, char *out, Size size)
{
	SwFieldScan scan;
	SwFieldEvent event;

	out[0] = '\0';
	sw_field_scan_init(&scan, document, len);
	while ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
		   event == SW_FIELD_RECORD)
	{
		if (!sw_store_has_root(&scan, root))
			return false;
		if (event == SW_FIELD_VALUE && strcmp(scan.path, path) == 0)
			return sw_store_copy_text(&scan, out, size) && out[0] != '\0';
	}
	return false;
}

/* It goes on record, so it must be text in every encoding of a server. */
static bool
sw_store_is_printable(const char *text)
{
	while (*text > ' ' && *text < 0x7f)
		text++;
	return *text == '\0';
}

SwStatus
sw_store_read_upload_id(const char *document, Size len,
						char upload_id[SW_STORE_UPLOAD_ID_SIZE], SwError *err)
{
	return sw_store_read_field(document, len, "InitiateMultipartUploadResult",
							   "UploadId", upload_id,
							   SW_STORE_UPLOAD_ID_SIZE) &&
		sw_store_is_printable(upload_id) ?
		SW_OK : sw_store_bad_reply("the beginning of an upload", err);
}

SwStatus
sw_store_read_completion(const char *document, Size len,
						 char etag[SW_STORE_ETAG_SIZE], SwError *err)
{
	return sw_store_read_field(document, len,
							   "CompleteMultipartUploadResult", "ETag", etag,
							   SW_STORE_ETAG_SIZE) ?
		SW_OK : sw_store_bad_reply("the end of an upload", err);
}
