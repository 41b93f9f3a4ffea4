/*-------------------------------------------------------------------------
 *
 * sw_upload_md5.c
 *	  MD5s of the parts of an upload, several at once.
 *
 * A store that wants the MD5 of a part wants it before the part, so each byte
 * is hashed before it is sent, and one text after the other that would take
 * most of the time of an upload (sign/sw_md5_lanes.c).  So the parts that are
 * complete and lie next to each other are hashed together.
 *
 * Called by sw_upload.c, also inside of a transaction: does not wait, throws
 * only when memory runs out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/sw_upload_md5.h"

/* Read of each part at a time; a multiple of SW_MD5_BLOCK. */
#define SW_UPLOAD_MD5_PIECE (32 * 1024)

/* Fewer parts are faster one by one. */
#define SW_UPLOAD_MD5_MIN	3

static bool
sw_upload_md5_read(const SwUploadSource *source, int64 offset, uint8 *bytes,
				   int n)
{
	while (n > 0)
	{
		int			n_read = source->read(source->arg, offset,
										  (char *) bytes, n);

		if (n_read <= 0 || n_read > n)
			return false;
		offset += n_read;
		bytes += n_read;
		n -= n_read;
	}
	return true;
}

/* Hash ahead->n_parts parts of n_bytes each. */
static bool
sw_upload_md5_hash(SwUploadMd5 *ahead, const SwUploadSource *source,
				   int64 offset, int64 n_bytes)
{
	uint8	   *pieces = palloc(SW_MD5_LANES * SW_UPLOAD_MD5_PIECE);
	const uint8 *texts[SW_MD5_LANES];
	SwMd5Lanes	lanes;
	int64		n_hashed = 0;
	bool		is_read = true;

	for (int i = 0; i < SW_MD5_LANES; i++)
		texts[i] = pieces + SW_UPLOAD_MD5_PIECE * (i % ahead->n_parts);
	sw_md5_lanes_init(&lanes);
	while (is_read && n_hashed <= n_bytes)
	{
		int			n = (int) Min(n_bytes - n_hashed, SW_UPLOAD_MD5_PIECE);
		int			n_tail = n % SW_MD5_BLOCK;

		for (int i = 0; i < ahead->n_parts && is_read; i++)
			is_read = sw_upload_md5_read(source,
										 offset + i * n_bytes + n_hashed,
										 pieces + SW_UPLOAD_MD5_PIECE * i, n);
		if (!is_read)
			break;
		sw_md5_lanes_add(&lanes, texts, n - n_tail);
		n_hashed += n;
		if (n < SW_UPLOAD_MD5_PIECE)
		{
			for (int i = 0; i < SW_MD5_LANES; i++)
				texts[i] += n - n_tail;
			sw_md5_lanes_end(&lanes, texts, n_tail, ahead->md5s);
			break;
		}
	}
	pfree(pieces);
	return is_read;
}

bool
sw_upload_md5_take(SwUploadMd5 *ahead, const SwUploadSource *source,
				   int number, int64 offset, int64 n_bytes, int n_parts,
				   uint8 md5[SW_MD5_BYTES])
{
	if (number < ahead->first_number ||
		number >= ahead->first_number + ahead->n_parts)
	{
		ahead->first_number = number;
		ahead->n_parts = 0;
		if (n_parts < SW_UPLOAD_MD5_MIN)
			return false;
		ahead->n_parts = Min(n_parts, SW_MD5_LANES);
		if (!sw_upload_md5_hash(ahead, source, offset, n_bytes))
		{
			ahead->n_parts = 0;
			return false;
		}
	}
	memcpy(md5, ahead->md5s[number - ahead->first_number], SW_MD5_BYTES);
	return true;
}
