package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/topic"
)

// The annotations of a function that decide what calls it.
const (
	AnnotationTopic       = "topic"            // MQTT filters, separated by commas; a filter after ! excludes topics. OpenFaaS Community Edition on Kubernetes allows no comma here
	AnnotationTopics      = "mqtt-topics"      // more filters
	annotationBatch       = "mqtt-batch"       // the most messages of a CloudEvents batch; absent: one message a call
	annotationReply       = "mqtt-reply"       // the topic on which the answer is published
	annotationConcurrency = "mqtt-concurrency" // concurrent calls; the messages of one topic stay in order
	AnnotationSchedule    = "schedule"         // cron expression; AnnotationTopic is CronTopic then
	CronTopic             = "cron-function"    // the topic of the cron-connector
)

const (
	maxBatch       = 5000
	maxConcurrency = 16
)

// Subscription is a function's subscription to MQTT topics.
type Subscription struct {
	Filters     []string // none: the function subscribes to nothing
	Except      []string // filters of topics that are excluded
	Batch       int      // the most messages of a batch; 0: one message a call, without a batch
	Reply       string   // topic; "": the answer is not published
	Concurrency int      // concurrent calls
}

// ParseSubscription reads a function's annotations. The error names all invalid ones.
// The subscription has the valid ones also if there is an error, and a default for each
// invalid one.
func ParseSubscription(notes map[string]string) (Subscription, error) {
	l := Subscription{Reply: notes[annotationReply]}
	topics := notes[AnnotationTopic]
	if topics == CronTopic {
		topics = ""
	}
	if topics += "," + notes[AnnotationTopics]; topics == "," {
		return l, nil
	}
	var errs [4]error
	l.Filters, l.Except, errs[0] = parseFilters(topics)
	l.Batch, errs[1] = number(notes, annotationBatch, 0, maxBatch)
	plain := 4
	if l.Batch > 0 {
		plain = 2
	}
	l.Concurrency, errs[2] = number(notes, annotationConcurrency, plain, maxConcurrency)
	if strings.ContainsAny(l.Reply, "+#\x00") {
		errs[3] = fmt.Errorf("annotation %s is %q: that is not a topic on which one can publish", annotationReply, l.Reply)
		l.Reply = ""
	}
	return l, errors.Join(errs[:]...)
}

// parseFilters splits an annotation at its commas. A filter after ! excludes the topics
// that it matches: "#,!zigbee2mqtt/#". If a filter is invalid, parseFilters returns an
// error and the valid ones.
func parseFilters(annotation string) (filters, except []string, err error) {
	for f := range strings.SplitSeq(annotation, ",") {
		f, not := strings.CutPrefix(strings.TrimSpace(f), "!")
		if f == "" && !not {
			continue
		}
		if e := topic.Check(f); e != nil {
			err = e
			continue
		}
		if not {
			except = append(except, f)
		} else {
			filters = append(filters, f)
		}
	}
	return filters, except, err
}

// number reads an annotation with a number from 1 to most. If it is absent or invalid,
// the result is plain.
func number(notes map[string]string, name string, plain, most int) (int, error) {
	v, ok := notes[name]
	if !ok {
		return plain, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return plain, fmt.Errorf("annotation %s is %q: write a number from 1 to %d", name, v, most)
	}
	return n, nil
}
