/*-------------------------------------------------------------------------
 *
 * sw_json_rule.c
 *	  What is declared of the members of JSON documents, ready for lookup.
 *
 * Contract: sw_json_rule.h.  Throws only when memory runs out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/sw_json_rule.h"

static int
sw_json_rule_compare(const SwJsonRule *rule, const char *name, int n_name)
{
	if (rule->n_name != n_name)
		return rule->n_name < n_name ? -1 : 1;
	return memcmp(rule->name, name, n_name);
}

/* Where the name is, or else belongs. */
static int
sw_json_rules_locate(const SwJsonRules *rules, const char *name, int n_name)
{
	int			low = 0;
	int			high = rules->n_rules;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (sw_json_rule_compare(&rules->rules[middle], name, n_name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const SwJsonRule *
sw_json_rules_search(const SwJsonRules *rules, const char *name, int n_name)
{
	int			place = sw_json_rules_locate(rules, name, n_name);

	if (place == rules->n_rules ||
		sw_json_rule_compare(&rules->rules[place], name, n_name) != 0)
		return NULL;
	return &rules->rules[place];
}

/* The rule of a member; a new one if there is none. */
static SwJsonRule *
sw_json_rules_enter(SwJsonRules *rules, const char *name, int n_name)
{
	int			place = sw_json_rules_locate(rules, name, n_name);
	SwJsonRule *rule;
	Size		n_bytes = sizeof(SwJsonRule) * (rules->n_rules + 1);

	if (place < rules->n_rules &&
		sw_json_rule_compare(&rules->rules[place], name, n_name) == 0)
		return &rules->rules[place];

	rules->rules = rules->rules == NULL ? palloc(n_bytes) :
		repalloc(rules->rules, n_bytes);
	rule = &rules->rules[place];
	memmove(rule + 1, rule, sizeof(SwJsonRule) * (rules->n_rules - place));
	memset(rule, 0, sizeof(*rule));
	rule->name = pnstrdup(name, n_name);
	rule->n_name = n_name;
	rules->n_rules++;
	rules->lengths |= UINT64CONST(1) << (n_name & 63);
	return rule;
}

static void
sw_json_rules_add_name(SwJsonRules *rules, const char *name, int n_name,
					   bool is_datetime, bool is_array)
{
	SwJsonRule *rule = sw_json_rules_enter(rules, name, n_name);

	rule->is_datetime = rule->is_datetime || is_datetime;
	rule->is_array = rule->is_array || is_array;
}

void
sw_json_rules_add(SwJsonRules *rules, const char *path, bool is_datetime,
				  bool is_array)
{
	SwJsonRules *level = rules;
	const char *name = path;
	const char *dot;

	while ((dot = strchr(name, '.')) != NULL)
	{
		level = &sw_json_rules_enter(level, name, (int) (dot - name))->below;
		name = dot + 1;
	}
	sw_json_rules_add_name(level, name, (int) strlen(name), is_datetime,
						   is_array);
	/* the same as one name, dots and all */
	if (name != path)
		sw_json_rules_add_name(rules, path, (int) strlen(path), is_datetime,
							   is_array);
}
