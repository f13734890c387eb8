package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

// bucketsV2 uses the API of InfluxDB 2:
// https://docs.influxdata.com/influxdb/v2/api/buckets/
type bucketsV2 struct {
	*influx
	orgID string // after find
}

// bucketV2 is a bucket in an answer.
type bucketV2 struct {
	ID             string          `json:"id,omitempty"`
	OrgID          string          `json:"orgID"`
	Name           string          `json:"name"`
	RetentionRules []retentionRule `json:"retentionRules"`
}

type retentionRule struct {
	Type         string `json:"type"`
	EverySeconds int64  `json:"everySeconds"` // 0: for ever
}

// find lists the buckets of that name that the token may read. Without one, InfluxDB answers
// an empty list or 404.
func (m *bucketsV2) find(ctx context.Context, bucket string) (b bucketInfo, ok bool, err error) {
	q := url.Values{"org": {m.org}, "name": {bucket}}
	var answer struct {
		Buckets []bucketV2 `json:"buckets"`
	}
	err = m.get(ctx, "find the bucket "+bucket, m.client.HTTPService().ServerAPIURL()+"buckets?"+q.Encode(), &answer)
	if e, is := errors.AsType[*InfluxError](err); is && e.StatusCode == http.StatusNotFound {
		return b, false, nil
	}
	for _, found := range answer.Buckets {
		if found.Name != bucket {
			continue
		}
		m.orgID = found.OrgID
		b = bucketInfo{Name: bucket, ID: found.ID}
		if len(found.RetentionRules) > 0 {
			b.Keeps = time.Duration(found.RetentionRules[0].EverySeconds) * time.Second
		}
		return b, true, nil
	}
	return b, false, err
}

// create creates a bucket. InfluxDB answers 422 if there is one of that name.
func (m *bucketsV2) create(ctx context.Context, bucket string) (created bool, err error) {
	body, err := json.Marshal(bucketV2{OrgID: m.orgID, Name: bucket, RetentionRules: []retentionRule{}})
	if err != nil {
		return false, err
	}
	err = m.post(ctx, "create the bucket "+bucket, m.client.HTTPService().ServerAPIURL()+"buckets", "application/json", string(body), nil)
	if e, is := errors.AsType[*InfluxError](err); is && e.StatusCode == http.StatusUnprocessableEntity && strings.Contains(e.Message, "already exists") {
		return false, nil
	}
	return err == nil, err
}

func (m *bucketsV2) howToCreate() string {
	return fmt.Sprintf("influx bucket create --org %s --name %s --retention 0", shellWord(m.org), shellWord(m.bucket))
}

func (m *bucketsV2) howToKeep(b bucketInfo) string {
	return fmt.Sprintf("influx bucket update --id %s --retention 0", shellWord(b.ID))
}

func (m *bucketsV2) rights(all []bucketInfo, _ secret.String) []string {
	command := "  influx auth create --org " + shellWord(m.org) + " --description 'functions of hearth'"
	for _, b := range all {
		command += " --read-bucket " + shellWord(b.ID) + " --write-bucket " + shellWord(b.ID)
	}
	return []string{"The functions need a token, INFLUX_TOKEN, that may read and write these three buckets; to write includes to delete. This creates one that may do no more:", command}
}

const maxAnswer = 1 << 20 // bytes of an answer that get reads

// get reads a JSON answer.
func (i *influx) get(ctx context.Context, what, url string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, influxDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if err := i.client.HTTPService().DoHTTPRequest(req, nil, func(res *http.Response) error {
		defer res.Body.Close()
		return json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(answer)
	}); err != nil {
		return i.failed(what, err)
	}
	return nil
}

// shellWord quotes a word for a shell where it must be quoted.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
