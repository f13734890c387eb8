package bridge

import "testing"

func TestAnnotationsAreReadTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		notes map[string]string
		want  Function
		wrong bool
	}{
		"one filter":         {map[string]string{"topic": "a/#"}, Function{Filters: []string{"a/#"}, Concurrency: 4}, false},
		"more filters":       {map[string]string{"topic": "a/#", "mqtt-topics": "b, /c/+", "mqtt-batch": "500"}, Function{Filters: []string{"a/#", "b", "/c/+"}, Batch: 500, Concurrency: 2}, false},
		"cron and MQTT":      {map[string]string{"topic": "cron-function", "mqtt-topics": "b"}, Function{Filters: []string{"b"}, Concurrency: 4}, false},
		"cron alone":         {map[string]string{"topic": "cron-function"}, Function{}, false},
		"nothing":            {map[string]string{"schedule": "x"}, Function{}, false},
		"a mistake":          {map[string]string{"topic": "a/#/b,c", "mqtt-batch": "many"}, Function{Filters: []string{"c"}, Concurrency: 4}, true},
		"reply and parallel": {map[string]string{"topic": "a", "mqtt-reply": "r", "mqtt-concurrency": "3"}, Function{Filters: []string{"a"}, Reply: "r", Concurrency: 3}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseFunction("f", "openfaas-fn", tt.notes)
			if tt.want.Name = "f"; !got.equal(tt.want) || (err != nil) != tt.wrong {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}
