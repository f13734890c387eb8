package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

// bucketInfo is a bucket as InfluxDB describes it; in 1.x a database and a policy.
type bucketInfo struct {
	Name     string
	ID       string        // in 2.x
	Keeps    time.Duration // older points are deleted by InfluxDB itself; 0: none
	Policies int           // of the database, in 1.x
}

// bucketAdmin finds and creates buckets, in 1.x or 2.x.
type bucketAdmin interface {
	find(ctx context.Context, bucket string) (b bucketInfo, ok bool, err error)
	// create creates a bucket without retention. created is false if there is one by now.
	create(ctx context.Context, bucket string) (created bool, err error)
	// howToCreate is the command that creates the bucket of the readings.
	howToCreate() string
	// howToKeep is the command that sets the retention of a bucket to none.
	howToKeep(bucketInfo) string
	// rights says which rights the functions' token needs, with the commands for it.
	rights(all []bucketInfo, token secret.String) []string
}

// MigrateInflux creates the buckets of the roll-ups beside the bucket of c, without
// retention. It changes no bucket that exists. admin may create buckets; if it is empty,
// none is created. said has the lines that a person should read, also after an error: what
// was done, and which rights the token of c needs. They contain no token.
func MigrateInflux(ctx context.Context, c Influx, admin secret.String) (said []string, err error) {
	own, err := openInfluxOnly(c)
	if err != nil {
		return nil, err
	}
	defer own.Close()
	if admin.Reveal() == "" {
		return own.withoutAdmin(ctx)
	}
	asAdmin := c
	asAdmin.Token = admin
	i, err := openInfluxOnly(asAdmin)
	if err != nil {
		return nil, err
	}
	defer i.Close()
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return nil, err
	}
	var a bucketAdmin = &bucketsV2{influx: i}
	if v1 {
		a = bucketsV1{i}
	}
	all, said, err := createBuckets(ctx, a, i)
	if err != nil {
		return said, adviseAdmin(err)
	}
	return append(append(said, a.rights(all, c.Token)...), own.checkRights(ctx, all)...), ctx.Err()
}

func openInfluxOnly(c Influx) (*influx, error) {
	s, err := openInflux(c)
	if err != nil {
		return nil, err
	}
	return s.(*influx), nil
}

// createBuckets creates the missing buckets of roll-ups, and returns all that hearth uses.
func createBuckets(ctx context.Context, a bucketAdmin, i *influx) (all []bucketInfo, said []string, err error) {
	raw, ok, err := a.find(ctx, i.bucket)
	if err == nil && !ok {
		err = fmt.Errorf("InfluxDB has no bucket %s, or INFLUX_ADMIN_TOKEN may not read it: set INFLUX_BUCKET and INFLUX_ORG, or create it by %s", i.bucket, a.howToCreate())
	}
	if err != nil {
		return nil, nil, err
	}
	all = []bucketInfo{raw}
	begins := false
	for _, bucket := range []string{rollupBucket(i.bucket, FiveMinutes), rollupBucket(i.bucket, Hour)} {
		b, created, err := findOrCreate(ctx, a, bucket)
		if err != nil {
			return nil, said, err
		}
		begins = begins || created
		said = append(said, fmt.Sprintf("InfluxDB: the bucket %s %s.", bucket, map[bool]string{true: "was created", false: "is there"}[created]))
		all = append(all, b)
	}
	if begins {
		said = append(said, "From now on the function alert-deadlines rolls the history up in the background. Its log and the page say how far it is. Of what is rolled up, old readings are deleted: docs/history.md says how old.")
	}
	return all, append(said, warnings(a, all)...), nil
}

func findOrCreate(ctx context.Context, a bucketAdmin, bucket string) (b bucketInfo, created bool, err error) {
	b, ok, err := a.find(ctx, bucket)
	if err != nil || ok {
		return b, false, err
	}
	if created, err = a.create(ctx, bucket); err != nil {
		return b, false, err
	}
	if b, ok, err = a.find(ctx, bucket); err == nil && !ok {
		err = fmt.Errorf("InfluxDB has a bucket %s that INFLUX_ADMIN_TOKEN may not read: let it read all buckets", bucket)
	}
	return b, created, err
}

// warnings names what is wrong with buckets that somebody else has created.
func warnings(a bucketAdmin, all []bucketInfo) (said []string) {
	for _, b := range all {
		if b.Keeps > 0 {
			said = append(said, fmt.Sprintf("Warning: InfluxDB deletes what is older than %s in the bucket %s. It is to keep everything, since hearth itself deletes what is to be deleted: %s", inDays(b.Keeps), b.Name, a.howToKeep(b)))
		}
		if b.Policies > 1 {
			db, _, _ := strings.Cut(b.Name, "/")
			said = append(said, fmt.Sprintf("Warning: the database %s has %d retention policies. InfluxDB 1.x would delete in all of them, so hearth deletes nothing there: give hearth a database of its own.", db, b.Policies))
		}
	}
	return said
}

func inDays(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

// adviseAdmin adds what to do about a refused INFLUX_ADMIN_TOKEN.
func adviseAdmin(err error) error {
	e, ok := errors.AsType[*InfluxError](err)
	if !ok || e.StatusCode != http.StatusUnauthorized && e.StatusCode != http.StatusForbidden {
		return err
	}
	return fmt.Errorf("%w: INFLUX_ADMIN_TOKEN is wrong or may not do that. InfluxDB 2: a token that may read and write all buckets of the organization; 1.8: user:password of an administrator", err)
}

// withoutAdmin says what is missing and what follows, unless everything is there.
func (i *influx) withoutAdmin(ctx context.Context) ([]string, error) {
	names := []string{rollupBucket(i.bucket, FiveMinutes), rollupBucket(i.bucket, Hour)}
	for _, bucket := range names {
		lacks, err := i.lacks(ctx, bucket)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		missing := fmt.Sprintf("InfluxDB: INFLUX_ADMIN_TOKEN is not set, so that no bucket for roll-ups was created. Until the functions can use %s and %s, nothing is rolled up and no reading expires: docs/history.md", names[0], names[1])
		absent := err != nil && strings.Contains(err.Error(), "database not found") // of InfluxDB 1.x
		if err != nil && !absent {
			return []string{missing, unknownRights(err)}, nil
		}
		if absent || len(lacks) > 0 {
			return []string{missing}, nil
		}
	}
	return []string{fmt.Sprintf("InfluxDB: the buckets %s and %s are there, and the functions may use them.", names[0], names[1])}, nil
}

// unknownRights says why it is not known which rights the functions' token has.
func unknownRights(err error) string {
	if e, ok := errors.AsType[*InfluxError](err); ok && e.StatusCode == http.StatusUnauthorized {
		return "InfluxDB does not accept INFLUX_TOKEN: it is wrong, or not set here. Set the right one in .env, then into its OpenFaaS secret."
	}
	return "Whether INFLUX_TOKEN may use the buckets is not known: " + err.Error()
}

// checkRights says whether the functions' token has the rights that it needs.
func (i *influx) checkRights(ctx context.Context, all []bucketInfo) []string {
	var lacking []string
	for _, b := range all {
		lacks, err := i.lacks(ctx, b.Name)
		if err != nil {
			return []string{unknownRights(err)}
		}
		if len(lacks) > 0 {
			lacking = append(lacking, strings.Join(lacks, " and ")+" "+b.Name)
		}
	}
	if len(lacking) == 0 {
		return []string{"INFLUX_TOKEN may do that already."}
	}
	return []string{"INFLUX_TOKEN may not " + strings.Join(lacking, ", ") + ". Give it that right, or put the new token into .env as INFLUX_TOKEN, then into its OpenFaaS secret."}
}

// lacks returns which of the rights to read and to write in a bucket the token lacks. The
// error is an InfluxError 401 if there is no such token.
func (i *influx) lacks(ctx context.Context, bucket string) (out []string, err error) {
	v1, err := i.speaksInfluxQL(ctx)
	if err != nil {
		return nil, err
	}
	var ok bool
	if v1 {
		_, ok, err = bucketsV1{i}.policies(ctx, bucket)
	} else {
		_, ok, err = (&bucketsV2{influx: i}).find(ctx, bucket)
	}
	if ok, err = allowed(ok, err); err != nil {
		return nil, err
	}
	if !ok {
		out = append(out, "read")
	}
	// A write of nothing: rights are checked first. 2.x then answers that there are no points.
	q := url.Values{"org": {i.org}, "bucket": {bucket}, "precision": {"ns"}}
	err = i.post(ctx, "ask for the right to write", i.client.HTTPService().ServerAPIURL()+"write?"+q.Encode(), "text/plain; charset=utf-8", "", nil)
	if e, is := errors.AsType[*InfluxError](err); is && e.StatusCode == http.StatusBadRequest {
		err = nil
	}
	if ok, err = allowed(true, err); err == nil && !ok {
		out = append(out, "write")
	}
	return out, err
}

// allowed turns the refusal of a right, for which 404 may stand too, into false.
func allowed(ok bool, err error) (bool, error) {
	if e, is := errors.AsType[*InfluxError](err); is && (e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusNotFound) {
		return false, nil
	}
	return ok, err
}
