/*-------------------------------------------------------------------------
 *
 * fuzz_document.c
 *	  Fuzzer: what src/store makes of a store's documents.
 *
 * The input is the document, read as everything that one can be.
 *
 * Properties:
 *   - texts end within their sizes
 *   - valid UTF-8 gives valid UTF-8 where a text is not cut
 *   - no more memory than a fixed sum and a multiple of the bytes
 *   - entries that are taken have what they must have
 *   - a complaint written anew by either grammar reads the same
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "lib/stringinfo.h"

#include "store/sw_store_reply.h"

#define MAX_INPUT_BYTES 16384

/* An entry needs some bytes of the document, and doubling its array. */
#define MEMORY_BASE			(4 * 1024)
#define MEMORY_PER_BYTE		24

static void
check_text(const char *text, Size size)
{
	fuzz_check(memchr(text, '\0', size) != NULL);
}

static void
check_entry(const SwStoreEntry *entry, bool is_utf8)
{
	const char *const texts[] = {
		entry->key, entry->upload_id, entry->etag, entry->code, entry->message
	};
	Size		i;

	for (i = 0; i < lengthof(texts); i++)
		fuzz_check(texts[i] == NULL || !is_utf8 ||
				   fuzz_is_utf8(texts[i], strlen(texts[i])));
	fuzz_check(entry->n_bytes >= -1);
}

static void
free_page(SwStorePage *page)
{
	int			i;

	for (i = 0; i < page->n_entries; i++)
	{
		const SwStoreEntry *entry = &page->entries[i];
		char	   *const texts[] = {
			entry->key, entry->upload_id, entry->etag, entry->code,
			entry->message
		};
		Size		k;

		for (k = 0; k < lengthof(texts); k++)
			if (texts[k] != NULL)
				pfree(texts[k]);
	}
	if (page->entries != NULL)
		pfree(page->entries);
}

typedef SwStatus (*ReadPage) (const char *document, Size len,
							  SwStorePage *page, SwError *err);

static void
check_page(ReadPage read_page, const char *document, Size len)
{
	bool		is_utf8 = fuzz_is_utf8(document, len);
	SwStorePage page;
	SwError		err;
	SwStatus	status;
	int			i;

	fuzz_memory_start();
	status = read_page(document, len, &page, &err);
	fuzz_check(fuzz_memory_peak() <= MEMORY_BASE + MEMORY_PER_BYTE * len);
	fuzz_check(status == SW_OK || (status == SW_ERR_PROTOCOL &&
								   fuzz_is_clean(err.message)));
	if (status == SW_OK)
	{
		check_text(page.marker, sizeof(page.marker));
		check_text(page.upload_marker, sizeof(page.upload_marker));
		for (i = 0; i < page.n_entries; i++)
		{
			const SwStoreEntry *entry = &page.entries[i];

			check_entry(entry, is_utf8);
			fuzz_check(read_page == sw_store_read_deletions ||
					   entry->key != NULL);
			fuzz_check(read_page != sw_store_read_uploads ||
					   entry->upload_id != NULL);
		}
		free_page(&page);
	}
}

static void
check_fields(const char *document, Size len)
{
	char		upload_id[SW_STORE_UPLOAD_ID_SIZE];
	char		etag[SW_STORE_ETAG_SIZE];
	SwError		err;

	memset(upload_id, 'x', sizeof(upload_id));
	memset(etag, 'x', sizeof(etag));
	if (sw_store_read_upload_id(document, len, upload_id, &err) == SW_OK)
		fuzz_check(upload_id[0] != '\0');
	check_text(upload_id, sizeof(upload_id));
	if (sw_store_read_completion(document, len, etag, &err) == SW_OK)
		fuzz_check(etag[0] != '\0');
	check_text(etag, sizeof(etag));
}

static void
append_xml(StringInfo out, const char *name, const char *text)
{
	appendStringInfo(out, "<%s>", name);
	for (; *text != '\0'; text++)
		appendStringInfo(out, "&#%d;", (uint8) *text);
	appendStringInfo(out, "</%s>", name);
}

/* ASCII texts, that is; others need no second look. */
static void
check_complaint(const char *document, Size len)
{
	SwStoreComplaint first;
	SwStoreComplaint second;
	StringInfoData anew;
	char	   *exact;
	const char *c;

	sw_store_read_complaint(document, len, &first);
	check_text(first.code, sizeof(first.code));
	check_text(first.message, sizeof(first.message));
	check_text(first.request_id, sizeof(first.request_id));
	check_text(first.error_number, sizeof(first.error_number));
	check_text(first.region, sizeof(first.region));
	check_text(first.endpoint, sizeof(first.endpoint));
	check_text(first.server_time, sizeof(first.server_time));
	for (c = first.message; *c != '\0'; c++)
		if ((uint8) *c >= 0x80)
			return;
	for (c = first.code; *c != '\0'; c++)
		if ((uint8) *c >= 0x80)
			return;

	initStringInfo(&anew);
	appendStringInfoString(&anew, "<Error>");
	append_xml(&anew, "Code", first.code);
	append_xml(&anew, "Message", first.message);
	appendStringInfoString(&anew, "</Error>");
	exact = fuzz_copy_exactly(anew.data, anew.len);
	sw_store_read_complaint(exact, anew.len, &second);
	fuzz_check(strcmp(first.code, second.code) == 0);
	fuzz_check(strcmp(first.message, second.message) == 0);
	pfree(exact);
	pfree(anew.data);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	char	   *document;

	if (len < 1 || len > MAX_INPUT_BYTES)
		return 0;
	document = fuzz_copy_exactly(data, len);
	check_complaint(document, len);
	check_page(sw_store_read_objects, document, len);
	check_page(sw_store_read_uploads, document, len);
	check_page(sw_store_read_deletions, document, len);
	check_fields(document, len);
	pfree(document);
	return 0;
}
