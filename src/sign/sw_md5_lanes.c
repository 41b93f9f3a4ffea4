/*-------------------------------------------------------------------------
 *
 * sw_md5_lanes.c
 *	  The MD5s of several texts of the same length at once.
 *
 * Pure; never throws.  MD5 is a chain of steps that each wait for the one
 * before, so one text leaves a processor mostly idle; SW_MD5_LANES of them
 * side by side, as the lanes of vectors, take little longer than one.  The
 * vectors are those of the compiler's own language extension, which uses what
 * the target has (two SSE2 or NEON registers) and needs no choice at run time.
 *
 * RFC 1321 has the algorithm: words are little-endian; the text is followed
 * by a bit, zeros, and its length in bits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "sign/sw_md5_lanes.h"

/* A word of each lane. */
typedef uint32 SwMd5Vector __attribute__ ((vector_size(4 * SW_MD5_LANES)));

/* The fractions of the sines of 1, 2, ... 64. */
static const uint32 sw_md5_sines[64] = {
	0xD76AA478, 0xE8C7B756, 0x242070DB, 0xC1BDCEEE,
	0xF57C0FAF, 0x4787C62A, 0xA8304613, 0xFD469501,
	0x698098D8, 0x8B44F7AF, 0xFFFF5BB1, 0x895CD7BE,
	0x6B901122, 0xFD987193, 0xA679438E, 0x49B40821,
	0xF61E2562, 0xC040B340, 0x265E5A51, 0xE9B6C7AA,
	0xD62F105D, 0x02441453, 0xD8A1E681, 0xE7D3FBC8,
	0x21E1CDE6, 0xC33707D6, 0xF4D50D87, 0x455A14ED,
	0xA9E3E905, 0xFCEFA3F8, 0x676F02D9, 0x8D2A4C8A,
	0xFFFA3942, 0x8771F681, 0x6D9D6122, 0xFDE5380C,
	0xA4BEEA44, 0x4BDECFA9, 0xF6BB4B60, 0xBEBFBC70,
	0x289B7EC6, 0xEAA127FA, 0xD4EF3085, 0x04881D05,
	0xD9D4D039, 0xE6DB99E5, 0x1FA27CF8, 0xC4AC5665,
	0xF4292244, 0x432AFF97, 0xAB9423A7, 0xFC93A039,
	0x655B59C3, 0x8F0CCC92, 0xFFEFF47D, 0x85845DD1,
	0x6FA87E4F, 0xFE2CE6E0, 0xA3014314, 0x4E0811A1,
	0xF7537E82, 0xBD3AF235, 0x2AD7D2BB, 0xEB86D391
};

/* One step: which word, how far it turns, which sine. */
#define SW_MD5_STEP(mix, a, b, c, d, word, shift, number) \
	do { \
		a += mix(b, c, d) + word + sw_md5_sines[number]; \
		a = ((a << (shift)) | (a >> (32 - (shift)))) + b; \
	} while (0)

#define SW_MD5_MIX_1(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define SW_MD5_MIX_2(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define SW_MD5_MIX_3(x, y, z) ((x) ^ (y) ^ (z))
#define SW_MD5_MIX_4(x, y, z) ((y) ^ ((x) | ~(z)))

/* Four steps, after which the registers are where they were. */
#define SW_MD5_ROUND(mix, first, factor, shift1, shift2, shift3, shift4, n) \
	do { \
		SW_MD5_STEP(mix, a, b, c, d, \
					words[(first + factor * (n)) % 16], shift1, n); \
		SW_MD5_STEP(mix, d, a, b, c, \
					words[(first + factor * ((n) + 1)) % 16], shift2, (n) + 1); \
		SW_MD5_STEP(mix, c, d, a, b, \
					words[(first + factor * ((n) + 2)) % 16], shift3, (n) + 2); \
		SW_MD5_STEP(mix, b, c, d, a, \
					words[(first + factor * ((n) + 3)) % 16], shift4, (n) + 3); \
	} while (0)

/* A pass over all words. */
#define SW_MD5_ROUNDS(mix, first, factor, shift1, shift2, shift3, shift4, n) \
	do { \
		SW_MD5_ROUND(mix, first, factor, shift1, shift2, shift3, shift4, n); \
		SW_MD5_ROUND(mix, first, factor, shift1, shift2, shift3, shift4, (n) + 4); \
		SW_MD5_ROUND(mix, first, factor, shift1, shift2, shift3, shift4, (n) + 8); \
		SW_MD5_ROUND(mix, first, factor, shift1, shift2, shift3, shift4, (n) + 12); \
	} while (0)

static inline uint32
sw_md5_load(const uint8 *p)
{
	uint32		word;

	memcpy(&word, p, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap32(word);
#endif
	return word;
}

/* Take in a block of 64 bytes of each lane. */
static void
sw_md5_take_blocks(SwMd5Lanes *lanes, const uint8 *const *blocks)
{
	SwMd5Vector words[16];
	SwMd5Vector a;
	SwMd5Vector b;
	SwMd5Vector c;
	SwMd5Vector d;
	SwMd5Vector start[4];

	for (int i = 0; i < 16; i++)
		for (int lane = 0; lane < SW_MD5_LANES; lane++)
			words[i][lane] = sw_md5_load(blocks[lane] + 4 * i);
	memcpy(start, lanes->state, sizeof(start));
	a = start[0];
	b = start[1];
	c = start[2];
	d = start[3];

	SW_MD5_ROUNDS(SW_MD5_MIX_1, 0, 1, 7, 12, 17, 22, 0);
	SW_MD5_ROUNDS(SW_MD5_MIX_2, 1, 5, 5, 9, 14, 20, 16);
	SW_MD5_ROUNDS(SW_MD5_MIX_3, 5, 3, 4, 11, 16, 23, 32);
	SW_MD5_ROUNDS(SW_MD5_MIX_4, 0, 7, 6, 10, 15, 21, 48);

	start[0] += a;
	start[1] += b;
	start[2] += c;
	start[3] += d;
	memcpy(lanes->state, start, sizeof(start));
}

void
sw_md5_lanes_init(SwMd5Lanes *lanes)
{
	static const uint32 start[4] = {
		0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476
	};

	for (int i = 0; i < 4; i++)
		for (int lane = 0; lane < SW_MD5_LANES; lane++)
			lanes->state[i][lane] = start[i];
	lanes->n_bytes = 0;
}

void
sw_md5_lanes_add(SwMd5Lanes *lanes, const uint8 *const texts[SW_MD5_LANES],
				 Size n)
{
	const uint8 *blocks[SW_MD5_LANES];

	Assert(n % SW_MD5_BLOCK == 0);
	memcpy(blocks, texts, sizeof(blocks));
	lanes->n_bytes += n;
	for (; n > 0; n -= SW_MD5_BLOCK)
	{
		sw_md5_take_blocks(lanes, blocks);
		for (int lane = 0; lane < SW_MD5_LANES; lane++)
			blocks[lane] += SW_MD5_BLOCK;
	}
}

void
sw_md5_lanes_end(SwMd5Lanes *lanes, const uint8 *const texts[SW_MD5_LANES],
				 Size n, uint8 md5s[SW_MD5_LANES][SW_MD5_BYTES])
{
	uint8		tails[SW_MD5_LANES][2 * SW_MD5_BLOCK];
	const uint8 *blocks[SW_MD5_LANES];
	uint64		n_bits = (lanes->n_bytes + n) * 8;
	Size		n_tail = n < SW_MD5_BLOCK - 8 ? SW_MD5_BLOCK : 2 * SW_MD5_BLOCK;

	Assert(n < SW_MD5_BLOCK);
	memset(tails, 0, sizeof(tails));
	for (int lane = 0; lane < SW_MD5_LANES; lane++)
	{
		memcpy(tails[lane], texts[lane], n);
		tails[lane][n] = 0x80;
		for (int i = 0; i < 8; i++)
			tails[lane][n_tail - 8 + i] = (uint8) (n_bits >> (8 * i));
		blocks[lane] = tails[lane];
	}
	sw_md5_lanes_add(lanes, blocks, n_tail);

	for (int lane = 0; lane < SW_MD5_LANES; lane++)
		for (int i = 0; i < SW_MD5_BYTES; i++)
			md5s[lane][i] = (uint8) (lanes->state[i / 4][lane] >> (8 * (i % 4)));
}
