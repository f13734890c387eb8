package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

// bucketsV1 uses the InfluxQL of InfluxDB 1.8, where a bucket "db/rp" is the retention policy
// rp of the database db, and "db" its default policy.
type bucketsV1 struct{ *influx }

const autogen = "autogen" // the policy that 1.x gives a database by itself

// find returns the database with its policy. A database without that policy is an error.
func (m bucketsV1) find(ctx context.Context, bucket string) (b bucketInfo, ok bool, err error) {
	db, policy, _ := strings.Cut(bucket, "/")
	var names []string
	if err := influxQL(ctx, m.influx, "read the databases", "s", `SHOW DATABASES`, func(t table[string]) error {
		for _, row := range t.Values {
			names = append(names, row...)
		}
		return nil
	}); err != nil || !slices.Contains(names, db) {
		return b, false, err
	}
	b, ok, err = m.policies(ctx, bucket)
	if err == nil && !ok {
		err = fmt.Errorf("the database %s has no retention policy %s: CREATE RETENTION POLICY %s ON %s DURATION INF REPLICATION 1", db, policy, ident(policy), ident(db))
	}
	return b, ok, err
}

// policies reads the policies of a bucket's database. ok is false if its policy is missing.
// It needs the right to read the database.
func (m bucketsV1) policies(ctx context.Context, bucket string) (b bucketInfo, ok bool, err error) {
	db, policy, _ := strings.Cut(bucket, "/")
	b = bucketInfo{Name: bucket}
	err = influxQL(ctx, m.influx, "read the retention policies of "+db, "s", `SHOW RETENTION POLICIES ON `+ident(db), func(t table[any]) error {
		for _, row := range t.Values { // name, duration, length of a shard, replicas, whether it is the default
			if len(row) < 5 {
				return fmt.Errorf("a retention policy has %d columns, want 5", len(row))
			}
			b.Policies++
			if isDefault, _ := row[4].(bool); row[0] != policy && (policy != "" || !isDefault) {
				continue
			}
			text, _ := row[1].(string)
			ok = true
			if b.Keeps, err = time.ParseDuration(text); err != nil {
				return fmt.Errorf("the retention of %s: %w", bucket, err)
			}
		}
		return nil
	})
	return b, ok, err
}

// create creates the database with one policy. If another call has just created the same,
// nothing changes.
func (m bucketsV1) create(ctx context.Context, bucket string) (created bool, err error) {
	err = influxQL(ctx, m.influx, "create the database of "+bucket, "s", createDatabase(bucket), func(table[any]) error { return nil })
	return err == nil, err
}

func createDatabase(bucket string) string {
	db, policy, _ := strings.Cut(bucket, "/")
	return `CREATE DATABASE ` + ident(db) + ` WITH DURATION INF REPLICATION 1 NAME ` + ident(cmp.Or(policy, autogen))
}

func (m bucketsV1) howToCreate() string { return createDatabase(m.bucket) }

func (m bucketsV1) howToKeep(b bucketInfo) string {
	db, policy, _ := strings.Cut(b.Name, "/")
	return fmt.Sprintf(`ALTER RETENTION POLICY %s ON %s DURATION INF`, ident(cmp.Or(policy, autogen)), ident(db))
}

func (m bucketsV1) rights(all []bucketInfo, token secret.String) []string {
	user := "hearth"
	if name, _, ok := strings.Cut(token.Reveal(), ":"); ok && name != "" {
		user = name
	}
	said := []string{"The functions need a user, INFLUX_TOKEN=user:password, that may read and write these three databases; to write includes to delete. Where InfluxDB requires a login, an administrator enters in its program influx:"}
	for _, b := range all {
		db, _, _ := strings.Cut(b.Name, "/")
		said = append(said, fmt.Sprintf("  GRANT ALL ON %s TO %s", ident(db), ident(user)))
	}
	return said
}
