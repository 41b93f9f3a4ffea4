/*-------------------------------------------------------------------------
 *
 * sign_md5_lanes.c
 *	  MD5s of several texts at once against those of one after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "sign/sw_md5_lanes.h"
#include "unit.h"

#define MAX_TEXT	5000

static uint8 texts[SW_MD5_LANES][MAX_TEXT];

static void
fill_texts(void)
{
	uint32		seed = 7;

	for (int lane = 0; lane < SW_MD5_LANES; lane++)
		for (int i = 0; i < MAX_TEXT; i++)
		{
			seed = seed * 1664525 + 1013904223;
			texts[lane][i] = (uint8) (seed >> 24);
		}
}

/* n_texts of n bytes, cut after n_first, which is a multiple of a block. */
static bool
equal(int n_texts, Size n, Size n_first)
{
	const uint8 *pieces[SW_MD5_LANES];
	uint8		md5s[SW_MD5_LANES][SW_MD5_BYTES];
	Size		n_tail = (n - n_first) % SW_MD5_BLOCK;
	Size		n_second = n - n_first - n_tail;
	SwMd5Lanes	lanes;
	bool		is_equal = true;

	for (int lane = 0; lane < SW_MD5_LANES; lane++)
		pieces[lane] = texts[lane % n_texts];
	sw_md5_lanes_init(&lanes);
	sw_md5_lanes_add(&lanes, pieces, n_first);
	for (int lane = 0; lane < SW_MD5_LANES; lane++)
		pieces[lane] += n_first;
	sw_md5_lanes_add(&lanes, pieces, n_second);
	for (int lane = 0; lane < SW_MD5_LANES; lane++)
		pieces[lane] += n_second;
	sw_md5_lanes_end(&lanes, pieces, n_tail, md5s);

	for (int lane = 0; lane < SW_MD5_LANES; lane++)
	{
		SwMd5	   *hash = sw_md5_begin();
		uint8		expected[SW_MD5_BYTES];

		sw_md5_add(hash, texts[lane % n_texts], n);
		is_equal = sw_md5_end(hash, expected) && is_equal &&
			memcmp(expected, md5s[lane], SW_MD5_BYTES) == 0;
	}
	return is_equal;
}

int
main(void)
{
	bool		is_equal = true;

	fill_texts();
	for (Size n = 0; n <= 300; n++)
		is_equal = is_equal && equal(SW_MD5_LANES, n, 0);
	unit_ok(is_equal, "texts of all lengths up to 300");

	is_equal = true;
	for (Size n_first = 0; n_first <= 4096; n_first += SW_MD5_BLOCK)
		is_equal = is_equal && equal(SW_MD5_LANES, 4096 + 57, n_first);
	unit_ok(is_equal, "longer ones, cut everywhere");

	is_equal = true;
	for (int n_texts = 1; n_texts < SW_MD5_LANES; n_texts++)
		is_equal = is_equal && equal(n_texts, MAX_TEXT, 1024);
	unit_ok(is_equal, "fewer texts than lanes");
	return unit_done();
}
