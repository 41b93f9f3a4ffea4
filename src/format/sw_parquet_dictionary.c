/*-------------------------------------------------------------------------
 *
 * sw_parquet_dictionary.c
 *	  The distinct strings of a Parquet column chunk.
 *
 * Pure: throws only when memory runs out.
 *
 * Entries are numbered in order of arrival; the hash table only finds them,
 * so its order never shows in a file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_parquet.h"

#define SW_PARQUET_INITIAL_ENTRIES 32

void
sw_parquet_dictionary_init(SwParquetDictionary *dictionary)
{
	memset(dictionary, 0, sizeof(*dictionary));
	sw_buffer_init(&dictionary->values);
	dictionary->entries_allocated = SW_PARQUET_INITIAL_ENTRIES;
	dictionary->hashes = palloc(SW_PARQUET_INITIAL_ENTRIES * sizeof(uint32));
	dictionary->positions = palloc(SW_PARQUET_INITIAL_ENTRIES * sizeof(uint32));
	dictionary->n_slots = 2 * SW_PARQUET_INITIAL_ENTRIES;
	dictionary->slots = palloc0(dictionary->n_slots * sizeof(uint32));
}

void
sw_parquet_dictionary_reset(SwParquetDictionary *dictionary)
{
	sw_buffer_reset(&dictionary->values);
	dictionary->n_entries = 0;
	memset(dictionary->slots, 0, dictionary->n_slots * sizeof(uint32));
}

const char *
sw_parquet_dictionary_get(const SwParquetDictionary *dictionary,
						  uint32 entry, Size *n)
{
	uint32		start = dictionary->positions[entry] + sizeof(uint32);
	uint32		end = entry + 1 < dictionary->n_entries ?
	dictionary->positions[entry + 1] :
	(uint32) dictionary->values.len;

	*n = end - start;
	return dictionary->values.data + start;
}

/* Mix in eight bytes. */
static inline uint64
sw_parquet_mix(uint64 hash, uint64 word)
{
	hash = (hash ^ word) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32;
}

static inline uint32
sw_parquet_hash(const char *bytes, Size n)
{
	uint64		hash = n;
	uint64		word = 0;

	for (; n >= sizeof(word); n -= sizeof(word))
	{
		memcpy(&word, bytes, sizeof(word));
		hash = sw_parquet_mix(hash, word);
		bytes += sizeof(word);
	}
	word = 0;
	memcpy(&word, bytes, n);
	hash = sw_parquet_mix(hash, word);
	return (uint32) (hash ^ hash >> 29);
}

/* Twice as many entries and slots. */
static void
sw_parquet_dictionary_grow(SwParquetDictionary *dictionary)
{
	Size		n_bytes;
	uint32		entry;

	dictionary->entries_allocated *= 2;
	n_bytes = dictionary->entries_allocated * sizeof(uint32);
	dictionary->hashes = repalloc(dictionary->hashes, n_bytes);
	dictionary->positions = repalloc(dictionary->positions, n_bytes);

	dictionary->n_slots *= 2;
	n_bytes = dictionary->n_slots * sizeof(uint32);
	dictionary->slots = repalloc(dictionary->slots, n_bytes);
	memset(dictionary->slots, 0, n_bytes);
	for (entry = 0; entry < dictionary->n_entries; entry++)
	{
		uint32		slot = dictionary->hashes[entry] & (dictionary->n_slots - 1);

		while (dictionary->slots[slot] != 0)
			slot = (slot + 1) & (dictionary->n_slots - 1);
		dictionary->slots[slot] = entry + 1;
	}
}

SwParquetLookup
sw_parquet_dictionary_find(SwParquetDictionary *dictionary,
						   const char *bytes, Size n, uint32 *entry)
{
	uint32		hash;
	uint32		slot;

	if (n > SW_PARQUET_DICTIONARY_BYTES)
		return SW_PARQUET_FULL;

	hash = sw_parquet_hash(bytes, n);
	slot = hash & (dictionary->n_slots - 1);
	while (dictionary->slots[slot] != 0)
	{
		uint32		candidate = dictionary->slots[slot] - 1;

		if (dictionary->hashes[candidate] == hash)
		{
			Size		n_candidate;
			const char *found = sw_parquet_dictionary_get(dictionary, candidate,
														  &n_candidate);

			if (n_candidate == n && memcmp(found, bytes, n) == 0)
			{
				*entry = candidate;
				return SW_PARQUET_KNOWN;
			}
		}
		slot = (slot + 1) & (dictionary->n_slots - 1);
	}

	if (dictionary->n_entries >= SW_PARQUET_DICTIONARY_ENTRIES ||
		dictionary->values.len + sizeof(uint32) + n > SW_PARQUET_DICTIONARY_BYTES)
		return SW_PARQUET_FULL;

	*entry = dictionary->n_entries;
	dictionary->slots[slot] = *entry + 1;
	dictionary->hashes[*entry] = hash;
	dictionary->positions[*entry] = (uint32) dictionary->values.len;
	dictionary->n_entries++;
	sw_parquet_encode_bytes(&dictionary->values, bytes, n);
	if (dictionary->n_entries == dictionary->entries_allocated)
		sw_parquet_dictionary_grow(dictionary);
	return SW_PARQUET_ADDED;
}
