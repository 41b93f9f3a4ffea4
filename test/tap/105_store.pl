# Single calls of src/store: every operation of both kinds, what is signed,
# pages, refusals and what is said of them, replies of strangers, endpoints.
use strict;
use warnings FATAL => 'all';

use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveSandbox;
use SensorswaveTest;
use POSIX ();
use JSON::PP;
use Test::More;

my $sandbox = SensorswaveSandbox->new('store');
my $node = make_node('store', $sandbox);
$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_module($node);

my %tos = (
	kind => 'tos',
	endpoint => $sandbox->env('STORE_ENDPOINT'),
	region => $sandbox->env('STORE_REGION'),
	bucket => $sandbox->env('STORE_BUCKET'),
	access_key => $sandbox->env('STORE_ACCESS_KEY'),
	secret_key => $sandbox->env('STORE_SECRET_KEY'),
	proxy => $sandbox->env('STORE_PROXY'),
	ca_file => $sandbox->env('CA_FILE'),
	idle_ms => 4000);
my %s3 = (%tos, kind => 's3', endpoint => $sandbox->env('STORE_S3_ENDPOINT'));
my $by_ip = 'http://127.0.0.1:' . $sandbox->env('STORE_PORT');

# One call, answered with "ok ..." or the error.
sub store
{
	my ($options, $call, @arguments) = @_;
	return $node->safe_psql('postgres', 'SELECT sw_test_store(' . quote_options(%$options)
		  . ", '$call', VARIADIC " . quote_array(@arguments) . ')');
}

# Is it refused with this status and chance, in these words?
sub refused
{
	my ($answer, $kind, $words, $what) = @_;
	like($answer, qr/^$kind: /, "$what: $kind");
	like($answer, $words, "$what: the words");
	unlike($answer, qr/not.a.secret|not\+a/, "$what: no secrets");
	return;
}

# ---- every operation, in every place ----

my %places = (
	'TOS' => \%tos,
	'TOS by address' => { %tos, endpoint => $by_ip, proxy => '' },
	'S3' => \%s3,
	'S3 by address' => { %s3, endpoint => $by_ip, proxy => '' });

foreach my $name (sort keys %places)
{
	my $place = $places{$name};
	my $from = $sandbox->count_log('store');
	my $crc = $name =~ /TOS/ ? ' 11177612005948864433' : '';
	my $line = 'sw/a/1 5 "5d41402abc4b2a76b9719d911017c592"';

	is(store($place, 'put', 'sw/a/1', 'hello'), 'ok', "$name: put");
	is(store($place, 'put', 'sw/a/2', ''), 'ok', "$name: put nothing");
	is(store($place, 'head', 'sw/a/1'), "ok $line$crc", "$name: head");
	is(store($place, 'get', 'sw/a/1', 1, 3), 'ok 3 ell', "$name: get a range");
	is(store($place, 'get', 'sw/a/1', 3, 100), 'ok 2 lo', "$name: get the rest");
	like(store($place, 'list', 'sw/a', 10),
		qr{^ok all 2 \Q$line\E sw/a/2 0 }, "$name: list");
	is(store($place, 'list', 'sw/none', 10), 'ok all 0', "$name: list nothing");
	is(store($place, 'list_uploads', 'sw/a/1'), 'ok', "$name: list uploads");
	is(store($place, 'abort', 'sw/a/1', 'unknown'), 'ok', "$name: abort nothing");
	is(store($place, 'delete', 'sw/a/1'), 'ok', "$name: delete");
	is(store($place, 'delete', 'sw/a/1'), 'ok', "$name: delete nothing");
	is(store($place, 'delete_many', 'sw/a/2', 'sw/a/3'), 'ok', "$name: delete many");
	like(store($place, 'head', 'sw/a/2'), qr/^missing never: .*HTTP status 404/, "$name: gone");

	my @lines = $sandbox->log_lines('store', $from);
	is(scalar(grep { $_->{accepted} } @lines), scalar @lines,
		"$name: the official signer agrees with every signature");
	my $host = $name =~ /address/ ? '127.0.0.1:' . $sandbox->env('STORE_PORT') :
	  "sensorswave.$place->{endpoint}";
	is(join(' ', sort keys %{ { map { $_->{host} => 1 } @lines } }), $host,
		"$name: the bucket stands where it should");
}

$sandbox->store('POST', '/behaviour', { pathStyle => JSON::PP::true });
is(store({ %s3, path_style => 1 }, 'put', 'sw/a', 'x'), 'ok', 'path style where it is asked for');
is(store({ %s3, path_style => 1 }, 'url', 'sw/a'),
	"ok https://$s3{endpoint}/sensorswave/sw/a", '... and for the warehouse');
is(store({ %s3, path_style => 1 }, 'list', 'sw/', 10) =~ /^ok all 1 /, 1, '... and for lists');
is(store({ %s3, path_style => 1 }, 'delete', 'sw/a'), 'ok', '... and gone');
$sandbox->store('DELETE', '/behaviour');

refused(store({ %tos, proxy => 'http://user:not-a-secret@127.0.0.1:99999' }, 'put', 'sw/a', 'x'),
	'connect later', qr/proxy on the way to/, 'a proxy that cannot be');

# ---- temporary keys ----

foreach my $place (\%tos, \%s3)
{
	my $kind = $place->{kind};
	my %temporary = (
		%$place,
		access_key => $sandbox->env('STORE_STS_ACCESS_KEY'),
		secret_key => $sandbox->env('STORE_STS_SECRET_KEY'),
		security_token => $sandbox->env('STORE_STS_TOKEN'));

	is(store(\%temporary, 'put', 'sw/sts', 'x'), 'ok', "$kind: a temporary key");
	is(store(\%temporary, 'delete', 'sw/sts'), 'ok', "$kind: ... deletes too");
	refused(store({ %temporary, security_token => 'wrong' }, 'put', 'sw/sts', 'x'),
		'auth never', qr/Invalid(Security)?Token.*permanent key/, "$kind: a wrong token");
}

# ---- pages ----

foreach my $place (\%tos, \%s3)
{
	my $kind = $place->{kind};
	my $put = 'SELECT count(*) FROM generate_series(1, 120) i WHERE sw_test_store('
	  . quote_options(%$place) . ", 'put', 'sw/page/' || lpad(i::text, 3, '0'), 'x') = 'ok'";
	is($node->safe_psql('postgres', $put), '120', "$kind: 120 objects");
	my $from = $sandbox->count_log('store');
	my @keys = store($place, 'list', 'sw/page/', 1000) =~ m{sw/page/(\d+)}g;
	is(join(' ', @keys), join(' ', map { sprintf('%03d', $_) } 1 .. 120),
		"$kind: all of them, in order");
	is(scalar(grep { $_->{operation} =~ /List/i } $sandbox->log_lines('store', $from)), 3,
		"$kind: in three pages");
	like(store($place, 'list', 'sw/page/', 70), qr/^ok some 70 /, "$kind: as many as wanted");
	like(store($place, 'list', 'sw/page/', 120), qr/^ok all 120 /, "$kind: just enough");

	$from = $sandbox->count_log('store');
	is(store($place, 'delete_many', map { sprintf('sw/page/%03d', $_) } 1 .. 120), 'ok',
		"$kind: all deleted");
	is(scalar($sandbox->log_lines('store', $from)), 3, "$kind: ... in three requests");
	is(store($place, 'list', 'sw/page/', 10), 'ok all 0', "$kind: none is left");
}

# ---- rights ----

foreach my $place (\%tos, \%s3)
{
	my $kind = $place->{kind};
	my %least = (
		%$place,
		access_key => $sandbox->env('STORE_LEAST_ACCESS_KEY'),
		secret_key => $sandbox->env('STORE_LEAST_SECRET_KEY'));

	is(store(\%least, 'put', 'sw/least', 'x'), 'ok', "$kind: the four rights: put");
	like(store(\%least, 'list', 'sw/least', 1), qr/^ok all 1 /, "$kind: ... list");
	is(store(\%least, 'delete_many', 'sw/least', 'sw/none'), 'ok', "$kind: ... delete many");
	refused(store(\%least, 'abort', 'sw/least', 'u'), 'denied never',
		qr/This needs $kind:AbortMultipartUpload\./, "$kind: abort");
	refused(store(\%least, 'list_uploads', 'sw/least'), 'denied never',
		qr/This needs $kind:ListBucketMultipartUploads\./, "$kind: list uploads");

	my %none = (%$place, access_key => "AKnone$kind", secret_key => 'not-a-secret-none');
	$sandbox->store('POST', '/keys', { accessKey => "AKnone$kind",
		secretKey => 'not-a-secret-none', actions => ['PutObject'] });
	is(store(\%none, 'put', 'sw/kept', 'x'), 'ok', "$kind: a key that may only put");
	foreach my $call ([ 'get', 'GetObject', 'sw/kept', 0, 1 ], [ 'head', 'GetObject', 'sw/kept' ],
		[ 'delete', 'DeleteObject', 'sw/kept' ], [ 'list', 'ListBucket', 'sw/', 1 ])
	{
		my ($name, $right, @arguments) = @$call;
		refused(store(\%none, $name, @arguments), 'denied never', qr/This needs $kind:$right\./,
			"$kind: $name without the right");
	}
	refused(store(\%none, 'delete_many', 'sw/kept', 'sw/other'), 'denied never',
		qr{(DeleteObject).*\[sw/kept denied\]}, "$kind: delete many without the right");
	store($place, 'delete', 'sw/kept');
}

# ---- refusals that a person must cure ----

foreach my $place (\%tos, \%s3)
{
	my $kind = $place->{kind};
	my @cases = (
		[ { bucket => 'no-such-bucket' }, 'missing never', qr/NoSuchBucket.*stage_bucket/ ],
		[ { secret_key => 'not-a-secret-wrong' }, 'auth never',
			qr/SignatureDoesNotMatch.*stage_secret_key/ ],
		[ { access_key => 'AKunknown' }, 'auth never', qr/InvalidAccessKeyId.*stage_access_key/ ],
		[ { region => 'eu-west-9' }, 'auth never',
			qr/AuthorizationHeaderMalformed.*stage_region/ ]);
	foreach my $case (@cases)
	{
		my ($options, $status, $words) = @$case;
		refused(store({ %$place, %$options }, 'put', 'sw/a', 'x'),
			$status, $words, "$kind: wrong @{[ %$options ]}");
	}

	$sandbox->store('POST', '/behaviour', { clockOffsetMs => 3600 * 1000 });
	refused(store($place, 'put', 'sw/a', 'x'), 'auth never',
		qr/clock of this server differs.*This server says \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, the store says .*\d\d:\d\d.*NTP/,
		"$kind: clocks");
	$sandbox->store('DELETE', '/behaviour');
}

# ---- errors asked for ----

my @errors = (
	# status, code, further wishes, what comes of it, words
	[ 503, 'SlowDown', {}, 'store later', qr/SlowDown.*limits of the account/ ],
	[ 500, 'InternalError', {}, 'store later', qr/InternalError/ ],
	[ 429, 'TooManyRequests', {}, 'store later', qr/TooManyRequests/ ],
	[ 503, 'ServiceUnavailable', { retry_after => 7 }, 'store later', qr/asked to wait 7 s/ ],
	[ 400, 'RequestTimeout', {}, 'timeout later', qr/RequestTimeout/ ],
	[ 400, 'ExpiredToken', {}, 'auth never', qr/ExpiredToken.*permanent key/ ],
	[ 400, 'InvalidArgument', {}, 'store never', qr/InvalidArgument/ ],
	[ 403, 'AccessDenied', {}, 'denied never', qr/needs \w+:PutObject/ ],
	[ 301, 'PermanentRedirect', {}, 'config never', qr/another region/ ],
	[ 307, 'TemporaryRedirect', {}, 'config never', qr/another region/ ],
	[ 418, 'Teapot', { message => "a\tb\x{1}" . $sandbox->env('STORE_SECRET_KEY') },
		'store never', qr/Teapot.*\*\*\*/ ],
	[ 500, 'InternalError', { body => 'html' }, 'store later', qr/HTTP status 500/ ],
	[ 500, 'InternalError', { body => 'empty' }, 'store later', qr/HTTP status 500/ ],
	[ 500, 'InternalError', { body => 'big' }, 'store later', qr/HTTP status 500/ ],
	[ 200, 'InternalError', { body => 'html' }, 'protocol later', qr/does not (come from|report)|did not report/ ]);

foreach my $place (\%tos, \%s3)
{
	my $kind = $place->{kind};
	foreach my $error (@errors)
	{
		my ($status, $code, $wishes, $outcome, $words) = @$error;
		my $id = $sandbox->fault(op => 'PUT', fault => 'error', status => $status,
			code => $code, %$wishes);
		my $what = "$kind: $status $code " . join(' ', map { "$_" } keys %$wishes);
		my $answer = store({ %$place, idle_ms => 300 }, 'put', 'sw/a', 'x');
		refused($answer, $outcome, $words, $what);
		my $hits = $sandbox->fault_hits($id);
		if ($outcome =~ /never/ || defined $wishes->{retry_after})
		{
			is($hits, 1, "$what: not repeated");
		}
		else
		{
			cmp_ok($hits, '>', 1, "$what: repeated");
		}
		$sandbox->clear_faults;
	}
	foreach my $fault ('drop', 'drop_after', 'truncate_reply',
		$kind eq 'tos' ? 'corrupt_crc' : 'corrupt_etag')
	{
		$sandbox->fault(op => 'PUT', fault => $fault, times => 2);
		is(store($place, 'put', 'sw/a', 'x'), 'ok', "$kind: $fault twice, then it is there");
		$sandbox->clear_faults;
	}
	my $corrupt = $kind eq 'tos' ? 'corrupt_crc' : 'corrupt_etag';
	$sandbox->fault(op => 'PUT', fault => $corrupt);
	refused(store({ %$place, idle_ms => 300 }, 'put', 'sw/a', 'x'),
		'mismatch later', qr/received other bytes.*checksum is/, "$kind: $corrupt");
	$sandbox->clear_faults;

	foreach my $call ([ 'LIST', 'list', 'sw/', 10 ], [ 'LIST_UPLOADS', 'list_uploads', 'sw/a' ],
		[ 'DELETE_MANY', 'delete_many', 'sw/b', 'sw/c' ])
	{
		my ($op, $name, @arguments) = @$call;
		$sandbox->fault(op => $op, fault => 'error', status => 200, body => 'html');
		refused(store({ %$place, idle_ms => 300 }, $name, @arguments),
			'protocol later', qr/does not come from/, "$kind: a page in place of $name");
		$sandbox->clear_faults;
	}
	$sandbox->fault(op => 'DELETE_MANY', fault => 'error', status => 501, code => 'NotImplemented');
	is(store($place, 'delete_many', 'sw/b', 'sw/c'), 'ok',
		"$kind: a store that cannot delete many is asked singly");
	$sandbox->clear_faults;
	store($place, 'delete', 'sw/a');
}

# ---- replies of a stranger ----

my ($stranger_pid, $stranger_port);

# Answers every request with the reply, "N" in it counting up.
sub start_stranger
{
	my ($reply) = @_;
	my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1)
	  or die "could not listen: $!";
	$stranger_port = $listener->sockport;
	$stranger_pid = fork() // die "could not fork: $!";
	return if $stranger_pid != 0;

	my $n = 0;
	while (my $client = $listener->accept)
	{
		my $length = 0;
		while (my $line = <$client>)
		{
			$length = $1 if $line =~ /^content-length: *(\d+)/i;
			last if $line eq "\r\n";
		}
		read($client, my $body, $length) if $length > 0;
		my $number = sprintf('%06d', ++$n);
		my $document = $reply->{body} =~ s/N/$number/gr;
		print $client "HTTP/1.1 $reply->{status} X\r\nContent-Length: "
		  . length($document) . "\r\nConnection: close\r\n" . ($reply->{head} // '') . "\r\n$document";
		close($client);
	}
	POSIX::_exit(0);
}

sub stranger
{
	my ($what, $reply, $call, $outcome, $words, @arguments) = @_;
	start_stranger($reply);
	my $answer = store(
		{ %s3, endpoint => "http://127.0.0.1:$stranger_port", proxy => '', idle_ms => 300 },
		$call, @arguments);
	kill('KILL', $stranger_pid);
	waitpid($stranger_pid, 0);
	like($answer, qr/^$outcome/, "$what: $outcome");
	like($answer, $words, "$what: the words");
	return;
}

my $entry = '<Contents><Key>sw/N</Key></Contents>';
my $more = '<IsTruncated>true</IsTruncated><NextContinuationToken>';
my @list = ('list', 'protocol later', qr/without an end.*do not follow/, 'sw/', 1000000);
stranger('the same token', { status => 200, body => "<ListBucketResult>$entry${more}t</NextContinuationToken></ListBucketResult>" }, @list);
stranger('the same page', { status => 200, body => "<ListBucketResult><Contents><Key>a</Key></Contents>${more}N</NextContinuationToken></ListBucketResult>" }, @list);
stranger('no token', { status => 200, body => "<ListBucketResult>$entry<IsTruncated>true</IsTruncated></ListBucketResult>" }, @list);
stranger('empty pages', { status => 200, body => "<ListBucketResult>${more}N</NextContinuationToken></ListBucketResult>" }, @list);
stranger('keys that fall', { status => 200, body => '<ListBucketResult><Contents><Key>b</Key></Contents><Contents><Key>a</Key></Contents></ListBucketResult>' }, @list);
stranger('a page that never ends', { status => 200, body => '<ListBucketResult>' . ('<Contents><Key>x</Key></Contents>' x 5000) },
	'list', 'limit never', qr/longer than/, 'sw/', 10);
stranger('200 to a delete', { status => 200, body => '<html>Welcome</html>' }, 'delete',
	'protocol later', qr/does not come from an S3 store/, 'sw/a');
stranger('200 to a put', { status => 200, body => '' }, 'put',
	'protocol later', qr/It has no ETag/, 'sw/a', 'x');
stranger('a 403 page', { status => 403, body => '<html>Forbidden</html>' }, 'put',
	'protocol later', qr/no error code and no request id/, 'sw/a', 'x');
stranger('a region told by a document', { status => 301, body => '<Error><Code>PermanentRedirect</Code><Endpoint>b.s3-eu-west-9.example</Endpoint></Error>',
	head => "x-amz-bucket-region: eu-west-9\r\n" }, 'put',
	'config never', qr/in region "eu-west-9": set stage_region .*"b\.s3-eu-west-9\.example"/, 'sw/a', 'x');
stranger('a region told by an error', { status => 400, body => '<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-9</Region></Error>' }, 'head',
	'store never', qr/HTTP status 400/, 'sw/a');
stranger('an ETag of KMS', { status => 200, body => '',
	head => "ETag: \"0123456789abcdef0123456789abcdef\"\r\nx-amz-server-side-encryption: aws:kms\r\n" }, 'put',
	'ok', qr/^ok$/, 'sw/a', 'x');
stranger('an ETag that is no MD5', { status => 200, body => '', head => "ETag: \"opaque\"\r\n" }, 'put',
	'ok', qr/^ok$/, 'sw/a', 'x');
stranger('an ETag of other bytes', { status => 200, body => '', head => "ETag: \"0123456789abcdef0123456789abcdef\"\r\n" }, 'put',
	'mismatch later', qr/received other bytes/, 'sw/a', 'x');
stranger('some are not deleted', { status => 200, body => '<DeleteResult><Error><Key>sw/b</Key><Code>InternalError</Code></Error></DeleteResult>' }, 'delete_many',
	'store later', qr{deleted only some of 3 objects // Still there: "sw/b" \(InternalError\)\..*\[sw/b store\]$}, 'sw/a', 'sw/b', 'sw/c');
stranger('nobody knows which', { status => 200, body => '<DeleteResult><Error><Code>InternalError</Code></Error></DeleteResult>' }, 'delete_many',
	'store later', qr{\[sw/a store\] \[sw/b store\]$}, 'sw/a', 'sw/b');

# ---- endpoints and buckets ----

my @choices = (
	[ \%tos, { endpoint => 'tos-s3-cn-beijing.volces.com' }, qr/is the S3 endpoint of TOS.*"tos-cn-beijing\.volces\.com"/ ],
	[ \%tos, { load_endpoint => 'tos-cn-beijing.volces.com' }, qr/stage_load_endpoint .* is the native endpoint.*"tos-s3-cn-beijing\.volces\.com"/ ],
	[ \%tos, { endpoint => 'sensorswave.tos-cn-beijing.volces.com' }, qr/begins with the bucket/ ],
	[ \%tos, { path_style => 1 }, qr/stage_path_style does not apply to TOS/ ],
	[ \%tos, { bucket => 'a.b.c' }, qr/invalid stage_bucket/ ],
	[ \%s3, { endpoint => 'tos-cn-beijing.volces.com' }, qr/stage_endpoint .* is the native endpoint of TOS.*"tos-s3-cn-beijing\.volces\.com"/ ],
	[ \%s3, { endpoint => 'tos-cn-beijing.ivolces.com' }, qr/is the native endpoint of TOS/ ],
	[ \%s3, { load_endpoint => 'tos-ap-southeast-1.bytepluses.com' }, qr/stage_load_endpoint .* is the native endpoint of TOS/ ],
	[ \%s3, { endpoint => 'sensorswave.s3.eu-central-1.amazonaws.com' }, qr/begins with the bucket/ ],
	[ \%s3, { bucket => 'my.bucket' }, qr/has a dot.*stage_path_style/ ],
	[ \%s3, { bucket => 'My_Bucket' }, qr/invalid stage_bucket/ ],
	[ \%s3, { bucket => '-ab' }, qr/invalid stage_bucket/ ],
	[ \%s3, { endpoint => 'https://host/path' }, qr/invalid endpoint.*stage_endpoint/ ],
	[ \%s3, { bucket => 'my.bucket', path_style => 1 }, qr{^ok https://tos-s3-cn-beijing\.volces\.com/my\.bucket/sw/a$} ],
	[ \%s3, { bucket => 'my.bucket', endpoint => 'http://s3.example' }, qr{^ok http://my\.bucket\.s3\.example/sw/a$} ],
	[ \%s3, { endpoint => 'https://store.example:9000' }, qr{^ok https://sensorswave\.store\.example:9000/sw/a$} ],
	[ \%s3, { endpoint => 'http://10.0.0.1:9000' }, qr{^ok http://10\.0\.0\.1:9000/sensorswave/sw/a$} ],
	[ \%s3, { endpoint => 'http://[fd00::1]' }, qr{^ok http://\[fd00::1\]/sensorswave/sw/a$} ],
	[ \%s3, { endpoint => 'http://10.0.0.1', load_endpoint => 'https://s3.inside.example' }, qr{^ok https://sensorswave\.s3\.inside\.example/sw/a$} ],
	[ \%s3, { load_endpoint => 'http://10.0.0.1' }, qr{^ok http://10\.0\.0\.1/sensorswave/sw/a$} ],
	[ \%s3, { kind => 'gcs' }, qr/^unsupported never/ ]);
foreach my $choice (@choices)
{
	my ($place, $options, $words) = @$choice;
	like(store({ %$place, %$options }, 'url', 'sw/a'), $words,
		join(' ', $place->{kind}, map { "$_=$options->{$_}" } sort keys %$options));
}
like(store(\%s3, 'put', $_, 'x'), qr/^config never: invalid name of a staged object/, "key $_")
  foreach 'a//b', '../a', 'a b', '/a', 'a/';

# ---- the row ----

my $insert = 'INSERT INTO sw_destinations (name, kind, host, database, username, password,'
  . ' stage_endpoint, stage_bucket, stage_access_key, stage_secret_key%s)'
  . " VALUES ('%s', 'clickhouse', 'h', 'd', 'u', 'p', '%s', 'staging', 'AK', 's'%s)"
  . ' RETURNING stage_region, stage_path_style';
my $n = 0;
foreach my $row ([ 's3.eu-central-1.amazonaws.com', 'eu-central-1' ],
	[ 'tos-s3-cn-beijing.volces.com', 'cn-beijing' ], [ 's3.amazonaws.com', 'us-east-1' ],
	[ 'http://127.0.0.1:9000', 'us-east-1' ], [ 'minio.example:9000', 'us-east-1' ])
{
	my ($endpoint, $region) = @$row;
	is($node->safe_psql('postgres', sprintf($insert, '', 'd' . ++$n, $endpoint, '')), "$region|f",
		"the region of $endpoint");
}
is($node->safe_psql('postgres', sprintf($insert, ', stage_region, stage_path_style', 'd',
			'minio.example', ", 'here', true")), 'here|t', 'a region and a style of its own');

$node->stop;
done_testing();
