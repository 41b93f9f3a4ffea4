# Values from Postgres to a warehouse: every type, its edges and 10,000 random
# values of it, through pipelines of data source table and full copies. Read
# back by ClickHouse from Native and Parquet files, by the ByteHouse front, and
# the Parquet files by DuckDB as well, and compared value by value.
#
# Random values are drawn from a seed; SW_TEST_SEED repeats a run.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $seed = $ENV{SW_TEST_SEED} || time();
my $n_random = $ENV{SW_TEST_LONG} ? 10_000 : 1_000;
note "seed $seed: SW_TEST_SEED repeats it";

my $sandbox = SensorswaveSandbox->new('values');
my $node = make_node('values', $sandbox);
my $prelude = "SET timezone = 'Asia/Shanghai'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex';\n";

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION sensorswave_export;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', '开心');
CREATE TYPE place AS (street text, number int, tags text[]);
CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN moods AS mood[];

-- Any of n values, from 0 on.
CREATE FUNCTION below(n float8) RETURNS bigint LANGUAGE sql VOLATILE
	AS 'SELECT floor(random() * n)::bigint';
CREATE FUNCTION any_bigint() RETURNS bigint LANGUAGE sql VOLATILE
	AS $$ SELECT ('x' || substr(md5(random()::text), 1, 16))::bit(64)::bigint >> below(63)::int $$;
-- Of up to p digits, s of them behind the point.
CREATE FUNCTION any_numeric(p int, s int) RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT (sign(random() - 0.5)::numeric * left(regexp_replace(md5(random()::text) || md5(random()::text) || md5(random()::text) || md5(random()::text),
		'[a-f]', '', 'g') || repeat('7', 80), 1 + below(p)::int)::numeric) / (10::numeric ^ s) $$;
CREATE FUNCTION any_text(n int) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(string_agg(substr(E'abc XYZ019"''\\/,;{}\t\n\r\x01\x1f\x7féß导出🐘', 1 + below(32)::int, 1), ''), '')
	FROM generate_series(1, below(n)) WHERE random() >= 0 $$;
CREATE FUNCTION any_timestamp() RETURNS timestamp LANGUAGE sql VOLATILE
	AS $$ SELECT timestamp '1900-01-02' + below(12590000000 * 1e6) * interval '1 microsecond' $$;
-- Numbers of up to p digits, and integers of 64 bits.
CREATE FUNCTION any_json(depth int, p int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN CASE below(CASE WHEN depth > 3 THEN 5 ELSE 8 END)
		WHEN 0 THEN 'null' WHEN 1 THEN to_jsonb(random() < 0.5) WHEN 2 THEN to_jsonb(any_numeric(p, 6)) WHEN 3 THEN to_jsonb(any_bigint())
		WHEN 4 THEN to_jsonb(any_text(20))
		WHEN 5 THEN (SELECT coalesce(jsonb_agg(any_json(depth + 1, p)), '[]') FROM generate_series(1, below(4)))
		ELSE (SELECT coalesce(jsonb_object_agg(any_text(6), any_json(depth + 1, p)), '{}') FROM generate_series(1, below(5))) END;
END $$;
SQL

# ---- how values are told ----

# For each way: what Postgres, ClickHouse and DuckDB say of a value. V is the
# value, S a scale. A fourth and a fifth tell otherwise than Postgres of what
# ByteHouse has, and of what is in the file.
my $micros = '(extract(epoch FROM V) * 1000000)::bigint::text';
my %ways = (
	plain => [ 'V::text', 'toString(V)', 'V::varchar' ],
	text => [ "encode(convert_to(CASE WHEN V IS NOT NULL THEN format('%s', V) END, 'UTF8'), 'hex')", 'lower(hex(V))', 'lower(hex(V))' ],
	bytes => [ "encode(V, 'hex')", 'lower(hex(V))', 'lower(hex(V))' ],
	bool => [ 'V::int::text', 'toString(toUInt8(V))', 'V::int::varchar' ],
	float => [ 'V::text', 'toString(V)', 'V::varchar' ],
	decimal => [ 'V::text', 'toDecimalString(V, S)', 'V::varchar' ],
	wide => [ 'V::text', 'toDecimalString(V, S)', undef ],
	json => [ "encode(convert_to(V::jsonb::text, 'UTF8'), 'hex')", 'lower(hex(V))', 'lower(hex(V))', "encode(convert_to(coalesce(V::jsonb, '{}')::text, 'UTF8'), 'hex')" ],
	date => [ "(V - date '1970-01-01')::text", 'toString(toInt32(V))', 'V::varchar' ],
	instant => [ $micros, 'toString(toUnixTimestamp64Micro(V))', 'V::varchar' ],
	time => [ "to_char(V, 'HH24:MI:SS.US')", 'toString(V)', 'V::varchar', 'V::text', $micros ],
);

# The same of each member of an array.
foreach my $way (keys %ways)
{
	my @told = @{ $ways{$way} };
	s/\bV\b/m/g foreach grep { defined } @told;
	$ways{"$way\[]"} = [
		map { defined $_ ? $_ : undef }
		  "(SELECT coalesce(string_agg(coalesce($told[0], 'null'), '|' ORDER BY i), '') || '.' FROM unnest(V) WITH ORDINALITY AS x (m, i))",
		"concat(arrayStringConcat(arrayMap(m -> ifNull($told[1], 'null'), V), '|'), '.')",
		defined $told[2]
		? "concat(array_to_string(list_transform(V, lambda m: coalesce($told[2], 'null')), '|'), '.')"
		: undef
	];
}

$ways{place} = [
	map { s/\s+/ /gr }
	  "CASE WHEN V IS NULL THEN 'null;null;.' ELSE concat(coalesce(encode(convert_to((V).street, 'UTF8'), 'hex'), 'null'), ';', coalesce((V).number::text, 'null'), ';',
		(SELECT string_agg(coalesce(encode(convert_to(m, 'UTF8'), 'hex'), 'null'), '|' ORDER BY i) FROM unnest((V).tags) WITH ORDINALITY AS x (m, i)), '.') END",
	"concat(ifNull(lower(hex(V.1)), 'null'), ';', ifNull(toString(V.2), 'null'), ';',
		arrayStringConcat(arrayMap(m -> ifNull(lower(hex(m)), 'null'), V.3), '|'), '.')",
	"concat(coalesce(lower(hex(V.street)), 'null'), ';', coalesce(V.number::varchar, 'null'), ';',
		array_to_string(list_transform(V.tags, lambda m: coalesce(lower(hex(m)), 'null')), '|'), '.')"
];
$ways{map} = [
	map { s/\s+/ /gr }
	  "concat((SELECT string_agg(m, '|' ORDER BY m COLLATE \"C\") FROM (SELECT encode(convert_to(key, 'UTF8'), 'hex') || '='
		|| coalesce(encode(convert_to(value, 'UTF8'), 'hex'), 'null') AS m FROM each(V)) AS x), '.')",
	"concat(arrayStringConcat(arraySort(arrayMap((k, v) -> concat(lower(hex(k)), '=', ifNull(lower(hex(v)), 'null')), mapKeys(V), mapValues(V))), '|'), '.')",
	"concat(array_to_string(list_sort(list_transform(map_entries(V), lambda e: concat(lower(hex(e.key)), '=', coalesce(lower(hex(e.value)), 'null')))), '|'), '.')"
];

# ---- the families ----

# Each type: way, SQL of a random value, SQL of edge values.
my @families = (
	[ 'integers',
		[ 'boolean', 'bool', 'random() < 0.5', qw(true false) ],
		[ 'smallint', 'plain', 'below(65536) - 32768', qw(-32768 32767 0 -1) ],
		[ 'integer', 'plain', 'any_bigint() >> 32', qw((-2147483648) 2147483647 0 -1) ],
		[ 'bigint', 'plain', 'any_bigint()', qw((-9223372036854775808) 9223372036854775807 0 -1) ],
		[ 'oid', 'plain', 'below(4294967296)', qw(0 4294967295) ] ],
	[ 'floats',
		[ 'real', 'float', '(random() - 0.5) * 10 ^ (below(75) - 37)', "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "'1e-45'", "'3.4028235e38'", "'1.17549435e-38'", '0.1' ],
		[ 'double precision', 'float', '(random() - 0.5) * 10 ^ (below(600) - 300)', "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "'5e-324'",
			"'1.7976931348623157e308'", "'2.2250738585072014e-308'", '0.1' ] ],
	[ 'numbers',
		[ 'numeric(1,0)', 'decimal', 'any_numeric(1, 0)', qw(9 -9 0) ],
		[ 'numeric(9,2)', 'decimal', 'any_numeric(9, 2)', qw(9999999.99 -9999999.99 0.01 0) ],
		[ 'numeric(18,18)', 'decimal', 'any_numeric(18, 18)', '0.999999999999999999', '-0.999999999999999999', '0' ],
		[ 'numeric(38,10)', 'decimal', 'any_numeric(38, 10)', ('9' x 28) . '.' . ('9' x 10), '-' . ('9' x 28) . '.' . ('9' x 10), '0.0000000001' ],
		[ 'numeric(76,38)', 'wide', 'any_numeric(76, 38)', ('9' x 38) . '.' . ('9' x 38), '-' . ('9' x 38) . '.' . ('9' x 38), '0' ],
		[ 'numeric', 'plain', 'any_numeric(60, below(30)::int)', "'NaN'", "'Infinity'", "'-Infinity'", '1e1000', '1e-1000', '1.10' ],
		[ 'percent', 'decimal', '(random() * 100)::numeric(5, 2)', qw(0 100 99.99) ],
		[ 'money', 'plain', 'below(1e9)::int::money', "'92233720368547758.07'" ] ],
	[ 'times',
		[ 'date', 'date', "date '1900-01-02' + below(145000)::int", "'1900-01-01'", "'2299-12-31'", "'1970-01-01'", "'1969-12-31'", "'2000-02-29'" ],
		[ 'time', 'time', "time '00:00' + below(86400e6) * interval '1 microsecond'", "'00:00'", "'23:59:59.999999'", "'12:00:00.000001'" ],
		[ 'timetz', 'text', "(time '00:00' + below(86400e6) * interval '1 microsecond')::timetz", "'00:00+00'", "'23:59:59.999999-15:59'", "'12:00+05:30'" ],
		[ 'interval', 'text', "below(1000) * interval '1 day' + below(1e12) * interval '1 microsecond'", "'1 year -2 months 3 days -04:05:06.789'", "'0'", "'-178000000 years'" ],
		[ 'timestamp', 'instant', 'any_timestamp()', "'1900-01-01'", "'2299-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'", "'2000-02-29 12:00:00.000001'" ],
		[ 'timestamptz', 'instant', "any_timestamp() AT TIME ZONE 'UTC'", "'1901-01-01 00:00+00'", "'2299-12-31 00:00:00+00'", "'1991-04-14 01:30:00+08'", "'1986-05-04 03:00+09'" ] ],
	[ 'texts',
		[ 'text', 'text', 'any_text(60)', "''", "E'\\\\N'", "E'tab\\tnewline\\nquote\\'\"backslash\\\\'", "'导出 🐘'", "repeat('long ', 20000)" ],
		[ 'varchar(20)', 'text', 'any_text(20)', "''" ],
		[ 'char(10)', 'text', 'left(any_text(11), 10)', "''", "'a'" ],
		[ 'name', 'text', "left(any_text(30), 15)", "'pg_class'" ],
		[ '"char"', 'text', "chr(33 + below(94)::int)::\"char\"", "'a'" ],
		[ 'bytea', 'bytes', "decode(md5(random()::text) || md5(random()::text), 'hex')", "''", "'\\x00ff0d0a5c27'", "decode(repeat('00ff', 50000), 'hex')" ],
		[ 'uuid', 'plain', 'md5(random()::text)::uuid', "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'" ],
		[ 'mood', 'text', "(enum_range(NULL::mood))[1 + below(4)]", "'sad'", "'开心'" ] ],
	[ 'documents',
		[ 'jsonb', 'json', 'any_json(0, 30)', "'{}'", "'null'", "'[]'", "'\"\"'", "'{\"a\": [1.10, -0, 1e400, \"\\u0001\\\"\\\\/\"], \"\": null}'" ],
		[ 'json', 'json', 'any_json(0, 30)::json', "'{ \"a\" : 1 }'", "'[ ]'", "' null '" ],
		[ 'xml', 'text', "xmlelement(name a, below(100))", "'<a>x</a>'" ],
		[ 'tsvector', 'text', "to_tsvector('simple', any_text(40))", "''" ],
		[ 'tsquery', 'text', "plainto_tsquery('simple', 'a b' || below(10))", "'a & !b'" ] ],
	# JSON of ByteHouse is binary: it holds numbers of 64 bits only, and {} for
	# a null.
	[ 'binary_documents',
		[ 'jsonb', 'json', 'any_json(0, 15)', "'{}'", "'null'", "'[]'", "'\"\"'", "'{\"a\": [1.10, -0, 1e15, \"\\u0001\\\"\\\\/\"], \"\": null}'" ],
		[ 'json', 'json', 'any_json(0, 15)::json', "'{ \"a\" : 1 }'", "'[ ]'", "' null '" ] ],
	[ 'others',
		[ 'inet', 'text', "('10.0.0.0'::inet + below(16777216))", "'::1'", "'192.168.1.5/24'", "'2001:db8::/32'" ],
		[ 'cidr', 'text', "set_masklen('10.0.0.0'::cidr, 8 + below(24)::int)", "'::/0'", "'10.0.0.0/8'" ],
		[ 'macaddr', 'text', "substr(md5(random()::text), 1, 12)::macaddr", "'00:00:00:00:00:00'" ],
		[ 'macaddr8', 'text', "substr(md5(random()::text), 1, 16)::macaddr8", "'00:00:00:00:00:00:00:00'" ],
		[ 'bit(5)', 'text', 'below(32)::int::bit(5)', "B'10101'" ],
		[ 'bit varying', 'text', 'below(32)::int::bit(5)', "B''" ],
		[ 'int4range', 'text', "int4range(-below(100)::int, below(100)::int)", "'empty'", "'(,)'", "'[1,5)'" ],
		[ 'numrange', 'text', "numrange(-below(100), any_numeric(5, 2) + 100000)", "'empty'" ],
		[ 'tstzrange', 'text', "tstzrange('1980-01-01', any_timestamp() + interval '100 years')", "'empty'", "'[2020-01-01,)'" ],
		[ 'daterange', 'text', "daterange('1900-01-01', date '1900-01-02' + below(100000)::int)", "'[,2020-01-01)'" ],
		[ 'int4multirange', 'text', "int4multirange(int4range(0, 1 + below(9)::int), int4range(20, 21 + below(9)::int))", "'{}'" ],
		[ 'point', 'text', 'point(random(), random())', "'(0,-0)'" ],
		[ 'box', 'text', 'box(point(random(), random()), point(random(), 2))', "'(0,0),(1,1)'" ],
		[ 'polygon', 'text', 'polygon(box(point(random(), random()), point(1, 2)))', "'((0,0),(1,1))'" ],
		[ 'circle', 'text', 'circle(point(random(), random()), random())', "'<(0,0),1>'" ],
		[ 'pg_lsn', 'text', "'0/0'::pg_lsn + below(1e15)", "'0/0'" ],
		[ 'regtype', 'text', "(ARRAY['int4', 'text'])[1 + below(2)]::regtype", "'mood'" ] ],
	[ 'containers',
		[ 'int[]', 'plain[]', "(SELECT coalesce(array_agg(CASE WHEN random() < 0.2 THEN NULL ELSE any_bigint() >> 32 END), '{}') FROM generate_series(1, below(6)))",
			"'{}'", "'{NULL}'", "'{1,NULL,-2147483648}'" ],
		[ 'text[]', 'text[]', "(SELECT coalesce(array_agg(CASE WHEN random() < 0.2 THEN NULL ELSE any_text(9) END), '{}') FROM generate_series(1, below(6)))",
			"'{}'", "'{\"\",NULL,\"a,b\"}'" ],
		[ 'numeric(9,2)[]', 'decimal[]', "ARRAY[any_numeric(9, 2), NULL, any_numeric(9, 2)]", "'{}'" ],
		[ 'boolean[]', 'bool[]', "ARRAY[random() < 0.5, NULL]", "'{}'" ],
		[ 'uuid[]', 'plain[]', "ARRAY[md5(random()::text)::uuid]", "'{NULL}'" ],
		[ 'timestamptz[]', 'instant[]', "ARRAY[any_timestamp() AT TIME ZONE 'UTC', NULL]", "'{}'" ],
		[ 'moods', 'text[]', "ARRAY[(enum_range(NULL::mood))[1 + below(4)], NULL]", "'{}'", "'{sad,sad}'" ],
		[ 'place', 'place', "ROW(any_text(9), below(99), ARRAY[any_text(5), NULL])::place", "ROW(NULL, NULL, NULL)", "ROW('', 0, '{}')" ],
		[ 'hstore', 'map', "hstore(ARRAY['k' || below(9), any_text(5) || 'x'], ARRAY[any_text(5), NULL])", "''", "'a=>1, b=>NULL, \"\"=>\"\"'" ] ]);

# ---- telling ----

sub scale_of
{
	my ($type) = @_;
	return $type =~ /\(\d+,(\d+)\)/ ? $1 : $type eq 'percent' ? 2 : 0;
}

# Numbers as their bits: each program prints them in its own way.
sub float_bits
{
	my ($type, $text) = @_;
	return $text if $text eq '\\N';
	my $number = $text =~ /nan/i ? 'nan' : $text =~ /^(-?)inf/i ? $1 . 'inf' : $text;
	return unpack('H*', pack($type eq 'real' ? 'f>' : 'd>', $number)) =~ s/^[7f]ff8.*|^[7f]fc0.*/nan/r;
}

# JSON as the server prints it.
sub json_texts
{
	my ($values) = @_;
	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS json_values; CREATE TABLE json_values (k int, v text)');
	my $sql = join "\n", 'COPY json_values FROM STDIN;', (map { "$_\t$values->[$_]" } 0 .. $#$values), '\\.', '';
	$node->psql('postgres', $sql, on_error_die => 1);
	return [ split /\n/, $node->safe_psql('postgres',
		q{SELECT coalesce(encode(convert_to(convert_from(decode(v, 'hex'), 'UTF8')::jsonb::text, 'UTF8'), 'hex'), '\N') FROM json_values ORDER BY k}) ];
}

# Columns of values out of lines; then each as its way wants it.
sub split_lines
{
	my ($text, @types) = @_;
	my @columns = map { [] } @types;
	foreach my $line (split /\n/, $text)
	{
		my @values = split /\t/, $line, -1;
		push @{ $columns[$_] }, $values[$_] foreach 0 .. $#types;
	}
	foreach my $i (0 .. $#types)
	{
		my ($type, $way) = @{ $types[$i] };
		$columns[$i] = [ map { float_bits($type, $_) } @{ $columns[$i] } ] if $way eq 'float';
		$columns[$i] = json_texts($columns[$i]) if $way eq 'json';
		# DuckDB leaves out a zero in front of the point.
		$columns[$i] = [ map { s/^(-?)\./${1}0./r } @{ $columns[$i] } ] if $way eq 'decimal';
	}
	return @columns;
}

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $prelude . $sql);
}

# What Postgres tells of a family's table: $other is the index of another way
# to tell what it has.
sub told_by_postgres
{
	my ($table, $other, @types) = @_;
	my @told;
	foreach my $i (0 .. $#types)
	{
		my ($type, $way) = @{ $types[$i] };
		my $sql = $ways{$way}[$other] // $ways{$way}[0];
		push @told, "coalesce(" . ($sql =~ s/\bV\b/v$i/gr) . ", '\\N')";
	}
	return split_lines(query("COPY (SELECT " . join(', ', @told) . " FROM $table ORDER BY k) TO STDOUT") =~ s/\\\\N/\\N/gr, @types);
}

# $engine is the index of a way's expression.
sub expressions
{
	my ($engine, @types) = @_;
	return map {
		my ($type, $way) = @{ $types[$_] };
		my $scale = scale_of($type);
		my $sql = $ways{$way}[$engine];
		!defined $sql ? "'?'"
		  : "ifNull(" . ($sql =~ s/\bV\b/v$_/gr =~ s/\bS\b/$scale/gr) . ", '\\\\N')";
	} 0 .. $#types;
}

sub told_by_clickhouse
{
	my ($target, @types) = @_;
	my $sql = 'SELECT ' . join(', ', expressions(1, @types)) . " FROM sensorswave.$target FINAL ORDER BY k";
	return split_lines($sandbox->query($sql) =~ s/\\\\N/\\N/gr, @types);
}

sub told_by_duckdb
{
	my ($file, @types) = @_;
	my @told = map { s/^ifNull\(/coalesce(/r =~ s/'\\\\N'/'\\N'/r } expressions(2, @types);
	my ($stdout, $stderr);
	IPC::Run::run(
		[ 'node', "$top/test/lib/duckdb.cjs", $file, 'SELECT ' . join(', ', @told) . ' FROM file ORDER BY k' ],
		'>', \$stdout, '2>', \$stderr) or diag("duckdb: $stderr");
	return split_lines($stdout, @types);
}

sub compare_values
{
	my ($what, $types, $got, $expected) = @_;
	foreach my $i (0 .. $#$types)
	{
		my ($type, $way) = @{ $types->[$i] };
		my ($n, $first) = (0);
		if (defined $got->[$i][0] && $got->[$i][0] eq '?')
		{
			note "$what: $type is not told by this reader";
			next;
		}
		foreach my $row (0 .. $#{ $expected->[$i] })
		{
			my $value = $got->[$i][$row] // 'nothing';
			next if $value eq $expected->[$i][$row];
			$first //= "row " . ($row + 1) . ": got $value, expected $expected->[$i][$row]";
			$n++;
		}
		ok($n == 0 && @{ $got->[$i] } == @{ $expected->[$i] },
			"$what: " . @{ $expected->[$i] } . " values of $type")
		  or diag("$n differ; " . substr($first // @{ $got->[$i] } . ' values', 0, 1000));
	}
	return;
}

# ---- the test ----

create_clickhouse_destination($node, $sandbox, name => 'native', stage_compression => 'lz4');
create_clickhouse_destination($node, $sandbox, name => 'parquet', stage_format => 'parquet', stage_compression => 'snappy');
create_destination($node, $sandbox, name => 'bytehouse');

# Edge values first, then random ones, of which some are null.
sub make_table
{
	my ($table, @types) = @_;
	my (@columns, @random, @lists);
	my $most = 0;
	foreach my $i (0 .. $#types)
	{
		my ($type, $way, $random, @edges) = @{ $types[$i] };
		push @columns, "v$i $type";
		push @random, "CASE WHEN random() >= 0.05 AND i > 0 THEN $random END";
		push @lists, [ map { "($_)::$type" } @edges ];
		$most = @edges if @edges > $most;
	}
	my @rows = map { my $row = $_; '(' . join(', ', $row + 1, map { $_->[$row] // 'NULL' } @lists) . ')' } 0 .. $most - 1;
	query("CREATE TABLE $table (k int PRIMARY KEY, " . join(', ', @columns) . ");\n"
		  . "INSERT INTO $table VALUES " . join(",\n", @rows) . ";\n"
		  . "SELECT setseed(${\ (($seed % 1000003) / 1000003) });\n"
		  . "INSERT INTO $table SELECT $most + i, " . join(",\n", @random) . " FROM generate_series(1, $n_random) AS i");
	return;
}

sub copy_to
{
	my ($table, $destination) = @_;
	my $name = "${table}_$destination";
	create_pipeline($node, $name, destination => $destination, data_source => 'table', source => $table, columns => '{}', json_type => 'string');
	wait_running($node, $name);
	is(wait_backfill($node, $node->safe_psql('postgres', "SELECT sw_backfill('$name')")), 'success', "$name is copied")
	  or diag(last_run($node, $name, 'error'));
	return $name;
}

# The one Parquet file that is in the store's folder.
sub staged_file
{
	my @files;
	foreach my $file (split /\n/, qx(find "${\ dirname($sandbox->env('STORE_LOG')) }" -type f -size +0))
	{
		push @files, $file if substr(slurp_file($file), 0, 4) eq 'PAR1';
	}
	is(scalar(@files), 1, 'one Parquet file is in the store');
	return $files[0];
}

sub check_bytehouse
{
	my ($table, @types) = @_;
	compare_values('ByteHouse', \@types, [ told_by_clickhouse(copy_to($table, 'bytehouse'), @types) ],
		[ told_by_postgres($table, 3, @types) ]);
	return;
}

sub check_family
{
	my ($table, @types) = @_;
	make_table($table, @types);
	my @expected = told_by_postgres($table, 0, @types);
	check_bytehouse($table, @types) if $table ne 'documents';
	return if $table eq 'binary_documents';
	compare_values('ClickHouse, Native', \@types,
		[ told_by_clickhouse(copy_to($table, 'native'), @types) ], \@expected);

	# The Parquet file stays in the store until another has looked at it.
	$sandbox->fault(op => $_, fault => 'error', times => undef) foreach qw(DELETE DELETE_MANY);
	my $target = copy_to($table, 'parquet');
	compare_values('ClickHouse, Parquet', \@types, [ told_by_clickhouse($target, @types) ], \@expected);
	compare_values('DuckDB', \@types, [ told_by_duckdb(staged_file(), @types) ],
		[ told_by_postgres($table, 4, @types) ]);
	$sandbox->clear_faults;
	$sandbox->store('DELETE', '/objects');
	return;
}

foreach my $family (@families)
{
	my ($table, @types) = @$family;
	subtest $table => sub {
		eval { check_family($table, @types); 1 } or fail("died: $@");
	};
}

$node->stop;
done_testing();
