package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/topic"
)

// The annotations of a function that say what calls it.
const (
	AnnotationTopic       = "topic"            // MQTT filters, comma separated, !filter excepts; OpenFaaS Community Edition on Kubernetes allows no comma here
	AnnotationTopics      = "mqtt-topics"      // more of them
	annotationBatch       = "mqtt-batch"       // messages in a CloudEvents batch, at most; absent: one message a call
	annotationReply       = "mqtt-reply"       // topic to which the answer is published
	annotationConcurrency = "mqtt-concurrency" // calls at once; the messages of one topic stay in order
	AnnotationSchedule    = "schedule"         // cron expression, with CronTopic as topic
	CronTopic             = "cron-function"    // cron-connector's
)

const (
	maxBatch       = 5000
	maxConcurrency = 16
)

// Listener is what a function's annotations say of MQTT.
type Listener struct {
	Filters     []string // none: it does not listen
	Except      []string // what of them is not for it
	Batch       int      // 0: one message a call
	Reply       string
	Concurrency int
}

// ParseListener reads annotations. Each mistake is named in the error; what is
// right beside it holds.
func ParseListener(notes map[string]string) (Listener, error) {
	l := Listener{Reply: notes[annotationReply]}
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
		errs[3] = fmt.Errorf("annotation %s is %q: nothing can be published there", annotationReply, l.Reply)
		l.Reply = ""
	}
	return l, errors.Join(errs[:]...)
}

// parseFilters splits an annotation at its commas. One with ! in front excepts
// what it matches: "#,!zigbee2mqtt/#". What is no filter is returned as an error
// beside the good ones.
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
