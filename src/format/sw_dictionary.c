/*-------------------------------------------------------------------------
 *
 * sw_dictionary.c
 *	  The distinct strings of a column, numbered in the order in which they
 *	  arrive.
 *
 * A hash table with open addressing.  Contract: sw_dictionary.h.  Pure:
 * throws only when memory runs out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_dictionary.h"

#define SW_DICTIONARY_INITIAL_ENTRIES 32
/*
 * Slots that are looked at for one string.  Of half a million usual strings
 * none needs as many; those made to collide are not worth the time.
 */
#define SW_DICTIONARY_PROBES 256

void
sw_dictionary_init(SwDictionary *dictionary)
{
	memset(dictionary, 0, sizeof(*dictionary));
	sw_buffer_init(&dictionary->values);
	dictionary->entries_allocated = SW_DICTIONARY_INITIAL_ENTRIES;
	dictionary->entries = palloc(SW_DICTIONARY_INITIAL_ENTRIES *
								 sizeof(SwDictionaryEntry));
	dictionary->n_slots = 2 * SW_DICTIONARY_INITIAL_ENTRIES;
	dictionary->slots = palloc0(dictionary->n_slots *
								sizeof(SwDictionarySlot));
}

/* How many entries there is room for, and twice as many slots. */
static void
sw_dictionary_resize(SwDictionary *dictionary, uint32 n_entries)
{
	dictionary->entries_allocated = n_entries;
	dictionary->entries = repalloc(dictionary->entries,
								   n_entries * sizeof(SwDictionaryEntry));
	dictionary->n_slots = 2 * n_entries;
	dictionary->slots = repalloc(dictionary->slots, dictionary->n_slots *
								 sizeof(SwDictionarySlot));
}

void
sw_dictionary_reset(SwDictionary *dictionary, Size kept_bytes)
{
	bool		was_empty = dictionary->n_entries == 0;

	dictionary->n_values = 0;
	dictionary->n_entries = 0;
	if (sw_dictionary_allocated(dictionary) > kept_bytes)
	{
		sw_buffer_trim(&dictionary->values, kept_bytes / 2);
		sw_dictionary_resize(dictionary, SW_DICTIONARY_INITIAL_ENTRIES);
		was_empty = false;
	}
	sw_buffer_reset(&dictionary->values);
	if (!was_empty)
		memset(dictionary->slots, 0,
			   dictionary->n_slots * sizeof(SwDictionarySlot));
}

Size
sw_dictionary_allocated(const SwDictionary *dictionary)
{
	return dictionary->values.allocated +
		dictionary->entries_allocated * sizeof(SwDictionaryEntry) +
		dictionary->n_slots * sizeof(SwDictionarySlot);
}

const char *
sw_dictionary_get(const SwDictionary *dictionary, uint32 entry, Size *n)
{
	*n = dictionary->entries[entry].n_bytes;
	return dictionary->values.data + dictionary->entries[entry].position;
}

/* ---- hashes ---- */

static inline uint64
sw_dictionary_load_word(const char *bytes)
{
	uint64		word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* All of less than eight bytes. */
static inline uint64
sw_dictionary_load_rest(const char *bytes, Size n)
{
	uint32		first;
	uint32		last;

	if (n >= sizeof(uint32))
	{
		memcpy(&first, bytes, sizeof(first));
		memcpy(&last, bytes + n - sizeof(last), sizeof(last));
		return (uint64) first << 32 | last;
	}
	if (n == 0)
		return 0;
	return (uint64) (uint8) bytes[0] << 16 |
		(uint64) (uint8) bytes[n / 2] << 8 | (uint8) bytes[n - 1];
}

static inline uint64
sw_dictionary_mix(uint64 hash, uint64 word)
{
	hash = (hash ^ word) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32;
}

/* Two words at a time; the last ones overlap those before. */
static pg_attribute_always_inline uint32
sw_dictionary_hash(const char *bytes, Size n)
{
	const char *end = bytes + n;
	uint64		even = n;
	uint64		odd = 0;

	if (n >= sizeof(uint64))
	{
		for (; end - bytes > 2 * (int) sizeof(uint64); bytes += 2 * sizeof(uint64))
		{
			even = sw_dictionary_mix(even, sw_dictionary_load_word(bytes));
			odd = sw_dictionary_mix(odd, sw_dictionary_load_word(bytes + sizeof(uint64)));
		}
		if (n > 2 * sizeof(uint64))
			bytes = end - 2 * sizeof(uint64);
		even = sw_dictionary_mix(even, sw_dictionary_load_word(bytes));
		odd = sw_dictionary_mix(odd, sw_dictionary_load_word(end - sizeof(uint64)));
	}
	else
		odd = sw_dictionary_load_rest(bytes, n);
	even = sw_dictionary_mix(even, odd);
	return (uint32) (even ^ even >> 29);
}

/* Twice as many entries and slots. */
static void
sw_dictionary_grow(SwDictionary *dictionary)
{
	uint32		entry;

	sw_dictionary_resize(dictionary, 2 * dictionary->entries_allocated);
	memset(dictionary->slots, 0,
		   dictionary->n_slots * sizeof(SwDictionarySlot));
	for (entry = 0; entry < dictionary->n_entries; entry++)
	{
		Size		n;
		const char *bytes = sw_dictionary_get(dictionary, entry, &n);
		uint32		hash = sw_dictionary_hash(bytes, n);
		uint32		slot = hash & (dictionary->n_slots - 1);

		while (dictionary->slots[slot].number != 0)
			slot = (slot + 1) & (dictionary->n_slots - 1);
		dictionary->slots[slot].hash = hash;
		dictionary->slots[slot].number = entry + 1;
	}
}

/* ---- strings ---- */

/* Add a string that belongs into a slot, which is free. */
static void
sw_dictionary_add(SwDictionary *dictionary, SwDictionarySlot *slot,
				  uint32 hash, const char *bytes, Size n)
{
	SwDictionaryEntry *entry = &dictionary->entries[dictionary->n_entries++];

	sw_buffer_append_uint32(&dictionary->values, (uint32) n);
	entry->position = (uint32) dictionary->values.len;
	entry->n_bytes = (uint32) n;
	sw_buffer_append_bytes(&dictionary->values, bytes, n);
	slot->hash = hash;
	slot->number = dictionary->n_entries;
	if (dictionary->n_entries == dictionary->entries_allocated)
		sw_dictionary_grow(dictionary);
}

SwDictionaryLookup
sw_dictionary_find(SwDictionary *dictionary, const char *bytes, Size n,
				   uint32 *entry)
{
	uint32		hash;
	uint32		at;
	int			n_probes = 0;

	if (n > SW_DICTIONARY_BYTES)
		return SW_DICTIONARY_FULL;

	hash = sw_dictionary_hash(bytes, n);
	for (at = hash; n_probes < SW_DICTIONARY_PROBES; at++)
	{
		SwDictionarySlot *slot = &dictionary->slots[at & (dictionary->n_slots - 1)];
		Size		n_found;
		const char *found;

		if (slot->number == 0)
		{
			if (dictionary->n_entries >= SW_DICTIONARY_ENTRIES ||
				dictionary->values.len + sizeof(uint32) + n > SW_DICTIONARY_BYTES)
				break;
			*entry = dictionary->n_entries;
			sw_dictionary_add(dictionary, slot, hash, bytes, n);
			dictionary->n_values++;
			return SW_DICTIONARY_ADDED;
		}
		if (slot->hash == hash)
		{
			found = sw_dictionary_get(dictionary, slot->number - 1, &n_found);
			if (n_found == n && memcmp(found, bytes, n) == 0)
			{
				*entry = slot->number - 1;
				dictionary->n_values++;
				return SW_DICTIONARY_KNOWN;
			}
		}
		n_probes++;
	}
	return SW_DICTIONARY_FULL;
}
