package bridge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// TestReadyzAndMetricsSayWhyTheBrokerCannotBeUsed: each reason, and that it is over.
func TestReadyzAndMetricsSayWhyTheBrokerCannotBeUsed(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	_, strictAddr := openBroker(t)
	for _, tc := range []struct {
		name, addr string
		topic      string
		kind, want string
	}{
		{"nothing listens", free.Addr(t), "house/#", "refused", "nothing listens at"},
		{"a password is needed", testserver.OwnMosquitto(t, 0, "allow_anonymous false").Addr, "house/#", "login", "set MQTT_USER and the secret"},
		{"a web server", web.Listener.Addr().String(), "house/#", "not_mqtt", "a web server answers"},
		{"a subscription is refused", strictAddr, "#", "subscription", "refuses the subscription to #"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := mqtttest.NewGateway(t)
			g.Deploy("f", map[string]string{"topic": tc.topic, "mqtt-batch": "10"}, func(mqtttest.Call) (int, string) { return 200, "" })
			b, _ := run(t, g.URL, tc.addr, t.TempDir())
			mqtttest.Until(t, "the reason", func() bool {
				code, body := get(t, b, "/readyz")
				return code == http.StatusServiceUnavailable && strings.Contains(body, tc.want)
			})
			if _, body := get(t, b, "/metrics"); !strings.Contains(body, `hearth_mqtt_broker_problem{problem="`+tc.kind+`"} 1`) {
				t.Errorf("metrics without %s:\n%s", tc.kind, body)
			}
		})
	}
}

func TestReadyzIsRightAgainAfterTheBrokerCame(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	g := mqtttest.NewGateway(t)
	g.Deploy("f", batched, func(mqtttest.Call) (int, string) { return 200, "" })
	b, _ := run(t, g.URL, m.Addr, t.TempDir())
	mqtttest.Until(t, "the reason", func() bool { _, body := get(t, b, "/readyz"); return strings.Contains(body, "nothing listens at") })
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	mqtttest.Until(t, "ready", func() bool { code, _ := get(t, b, "/readyz"); return code == http.StatusOK })
	if _, body := get(t, b, "/metrics"); strings.Contains(body, "broker_problem{") {
		t.Errorf("metrics with a problem:\n%s", body)
	}
}

func get(t *testing.T, b *Bridge, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}
