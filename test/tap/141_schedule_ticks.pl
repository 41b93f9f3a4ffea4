# When the ticks of a schedule are: through both changes of the clocks in
# several zones, counted from a pipeline's creation, and never.  The expected
# instants were computed with another program's zone code.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveTest qw(quote_text);
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('schedule_ticks');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'America/Caracas'\n");
$node->start;
create_module($node);

sub call_of
{
	my ($schedule, $after, $until, $created) = @_;
	return 'sw_test_schedule('
	  . join(', ', map { quote_text($_) } $schedule, $created // '2026-01-01 00:00:00+00', $after, $until)
	  . ')';
}

# All ticks between two instants, in UTC.
sub ticks
{
	my (@arguments) = @_;
	return $node->safe_psql('postgres',
		"SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM "
		  . call_of(@arguments) . ' t');
}

# What each tick is called, the days it is looked for on, and what it is.
my @days = (
	# put forward, put back
	[ 'daily 02:30 Europe/Berlin', '2026-03-27 12:00+00', '2026-03-30 12:00+00',
		'2026-03-28 01:30:00', '2026-03-29 01:30:00', '2026-03-30 00:30:00' ],
	[ 'daily 02:30 Europe/Berlin', '2026-10-23 12:00+00', '2026-10-26 12:00+00',
		'2026-10-24 00:30:00', '2026-10-25 00:30:00', '2026-10-26 01:30:00' ],
	[ 'daily 02:00 Europe/Berlin', '2026-03-28 12:00+00', '2026-03-29 12:00+00',
		'2026-03-29 01:00:00' ],
	[ 'daily 03:00 Europe/Berlin', '2026-03-28 12:00+00', '2026-03-29 12:00+00',
		'2026-03-29 01:00:00' ],
	[ 'daily 03:00 Europe/Berlin', '2026-10-24 12:00+00', '2026-10-25 12:00+00',
		'2026-10-25 02:00:00' ],
	[ 'daily 02:00 Europe/Berlin', '2026-10-24 12:00+00', '2026-10-25 12:00+00',
		'2026-10-25 00:00:00' ],
	# none since 1991, but then
	[ 'daily 08:00 Asia/Shanghai', '2026-03-28 12:00+00', '2026-03-30 12:00+00',
		'2026-03-29 00:00:00', '2026-03-30 00:00:00' ],
	[ 'daily 02:30 Asia/Shanghai', '1986-05-02 12:00+00', '1986-05-05 12:00+00',
		'1986-05-02 18:30:00', '1986-05-03 18:30:00', '1986-05-04 17:30:00' ],
	[ 'daily 02:30 UTC', '2026-03-28 12:00+00', '2026-03-30 00:00+00', '2026-03-29 02:30:00' ],
	[ 'daily 02:30 UTC', '2026-10-24 12:00+00', '2026-10-26 00:00+00', '2026-10-25 02:30:00' ],
	# at midnight
	[ 'daily 00:30 America/Sao_Paulo', '2018-11-02 12:00+00', '2018-11-05 12:00+00',
		'2018-11-03 03:30:00', '2018-11-04 03:30:00', '2018-11-05 02:30:00' ],
	[ 'daily 23:30 America/Sao_Paulo', '2019-02-15 12:00+00', '2019-02-18 12:00+00',
		'2019-02-16 01:30:00', '2019-02-17 01:30:00', '2019-02-18 02:30:00' ],
	[ 'daily 00:30 America/Sao_Paulo', '2019-02-15 12:00+00', '2019-02-17 12:00+00',
		'2019-02-16 02:30:00', '2019-02-17 03:30:00' ],
	# by half an hour
	[ 'daily 01:45 Australia/Lord_Howe', '2026-04-03 12:00+00', '2026-04-06 12:00+00',
		'2026-04-03 14:45:00', '2026-04-04 14:45:00', '2026-04-05 15:15:00' ],
	[ 'daily 02:15 Australia/Lord_Howe', '2026-10-02 12:00+00', '2026-10-05 12:00+00',
		'2026-10-02 15:45:00', '2026-10-03 15:45:00', '2026-10-04 15:15:00' ],
	# a day that never was
	[ 'daily 02:30 Pacific/Apia', '2011-12-29 00:00+00', '2012-01-01 00:00+00',
		'2011-12-29 12:30:00', '2011-12-30 12:30:00', '2011-12-31 12:30:00' ]);

foreach my $case (@days)
{
	my ($schedule, $after, $until, @expected) = @$case;
	is(ticks($schedule, $after, $until), join("\n", @expected), "$schedule from $after");
}

is(ticks('daily 02:30 Europe/Berlin', '2026-10-25 00:30+00', '2026-10-26 01:00+00'),
	'', 'what was ticked before the clocks went back is not ticked after it again');
is(ticks('daily 2:30 europe/berlin', '2026-03-28 12:00+00', '2026-03-29 12:00+00'),
	'2026-03-29 01:30:00', 'zones are found in any case');

# Twenty years in each zone: a tick a day, at the time, but for a few days.
foreach my $zone (qw(Europe/Berlin Asia/Shanghai UTC America/Sao_Paulo
	America/New_York Australia/Lord_Howe Africa/Casablanca Antarctica/Troll))
{
	is($node->safe_psql('postgres',
			"WITH tick AS (SELECT t, t AT TIME ZONE '$zone' AS local FROM "
			  . call_of("daily 02:30 $zone", "2006-01-01 00:00 $zone", "2026-01-01 00:00 $zone")
			  . ' t) SELECT count(*), count(DISTINCT local::date),'
			  . " count(*) FILTER (WHERE local::time <> '02:30'"
			  . " AND local::time NOT IN ('02:45', '03:00', '03:30', '04:30')) FROM tick"),
		'7305|7305|0', "daily 02:30 $zone is once a day for twenty years");
}

# ---- every ----

is(ticks('every 1 hour', '2026-01-01 00:00+00', '2026-01-01 03:00+00', '2026-01-01 00:10:30.5+00'),
	"2026-01-01 01:10:30\n2026-01-01 02:10:30",
	'hours are counted from the creation, which is no tick');
is(ticks('EVERY  24 Hours', '2026-03-28 00:00+00', '2026-03-31 00:00+00', '2026-01-01 00:10+00'),
	"2026-03-28 00:10:00\n2026-03-29 00:10:00\n2026-03-30 00:10:00",
	'as time that passes, whatever clocks do');
is(ticks('every 90 minutes', '2026-01-01 04:30+00', '2026-01-01 08:00+00', '2026-01-01 00:00+00'),
	"2026-01-01 06:00:00\n2026-01-01 07:30:00", 'a tick is strictly after');
is(ticks('every 1 minute', '2025-12-31 00:00+00', '2026-01-01 00:02:30+00', '2026-01-01 00:00+00'),
	"2026-01-01 00:01:00\n2026-01-01 00:02:00", 'no tick lies before the creation');
is(ticks(' manual ', '2026-01-01 00:00+00', '2036-01-01 00:00+00'), '', 'manual has none');

# ---- what is none ----

foreach my $case (
	[ 'hourly', '' ],
	[ '', '' ],
	[ 'every hour', '' ],
	[ 'every 0 hours', 'It must be 1 minute to 24 hours' ],
	[ 'every 25 hours', 'It must be 1 minute to 24 hours' ],
	[ 'every 1441 minutes', 'It must be 1 minute to 24 hours' ],
	[ 'every -1 hours', '' ],
	[ 'every 1.5 hours', '' ],
	[ 'every 123456789012 hours', '' ],
	[ 'every 1 day', '' ],
	[ 'every 1 hour please', '' ],
	[ 'daily 08:00', '' ],
	[ 'daily 24:00 UTC', 'The time must be 00:00 to 23:59' ],
	[ 'daily 08:60 UTC', 'The time must be 00:00 to 23:59' ],
	[ 'daily 8:5 UTC', 'The time must be 00:00 to 23:59' ],
	[ 'daily 0800 UTC', '' ],
	[ 'daily 08:00 Mars/Phobos', 'Time zone "Mars/Phobos" does not exist' ],
	[ 'daily 08:00 UTC-8', 'Time zone "UTC-8" does not exist' ],
	[ 'manual 08:00', '' ])
{
	my ($schedule, $detail) = @$case;
	my ($code, $out, $err) = $node->psql('postgres', '\set VERBOSITY verbose' . "\n"
		  . 'SELECT ' . call_of($schedule, '2026-01-01 00:00+00', '2026-01-02 00:00+00'));
	like($err,
		qr/ERROR:  22023: invalid schedule "\Q$schedule\E".*$detail.*HINT:  Use "every 1 hour"/s,
		"\"$schedule\" is none");
}

$node->stop;
done_testing();
