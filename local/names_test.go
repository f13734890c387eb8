package local

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/testserver"
)

// realNames returns the settings of this repository.
func realNames(t *testing.T) []string {
	t.Helper()
	h, err := Open("..", []string{"HEARTH_DIR=" + t.TempDir()}, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	return h.knownNames()
}

func TestAMistypedSettingOfDotenvIsRecognised(t *testing.T) {
	known := realNames(t)
	for name, want := range map[string]string{
		"STOCK_SYMBOLS": "STOCKS_SYMBOLS", "stocks_symbols": "STOCKS_SYMBOLS", "STOCKS": "STOCKS_SYMBOLS", "SYMBOLS": "STOCKS_SYMBOLS", "STOCKS_SYMBOL": "STOCKS_SYMBOLS",
		"SLACK_WEBHOKS": "SLACK_WEBHOOKS", "SLACK_WEBHOOK": "SLACK_WEBHOOKS", "SLACK_CHANEL": "SLACK_CHANNEL",
		"OPENWEATHER_API_KEY": "OPENWEATHER_KEY", "OPENWEATHERMAP_API_KEY": "OPENWEATHER_KEY", "WEATHER_KEY": "OPENWEATHER_KEY", "WEATHER_PLACE": "WEATHER_PLACES", "PLACES": "WEATHER_PLACES",
		"FINNHUB_TOKEN": "FINNHUB_KEY", "FINNHUB_APIKEY": "FINNHUB_KEY", "GITHUB_ORG": "GITHUB_OWNERS", "GITHUB_KEY": "GITHUB_TOKEN", "GITHUB_REPOSITORIES": "GITHUB_REPOS",
		"ASANA_PROJECT": "ASANA_PROJECTS", "ASANA_API_KEY": "ASANA_TOKEN", "FEED": "FEEDS", "MQTT_PASS": "MQTT_PASSWORD", "MQTT_HOST": "MQTT_URL", "MQTT_USERNAME": "MQTT_USER",
		"INFLUX_HOST": "INFLUX_URL", "INFLUXDB_TOKEN": "INFLUX_TOKEN", "POSTGRES_URL": "DATABASE_URL", "DATABASE_URI": "DATABASE_URL", "HEARTH_DIRECTORY": "HEARTH_DIR",
		"TELEGRAM_TOKEN": "", "NONSENSE": "", "HTTP_PROXY": "", "EDITOR": "", "LANG": "", "COMPOSE_PROJECT_NAME": "",
	} {
		if got := nearName(name, known); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTheExampleOfDotenvHasOnlySettings(t *testing.T) {
	known := realNames(t)
	b, err := os.ReadFile("../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if m := assignment.FindStringSubmatch(strings.TrimPrefix(line, "#")); m != nil {
			n++
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s is no setting", m[1])
			}
		}
	}
	if n < 10 {
		t.Errorf("%d settings", n)
	}
}

// Names of other programs in the environment are near none of hearth's, and no two of hearth's
// own names are so near that one would be taken for the other.
func TestNoNameOfTheEnvironmentIsTakenForAMistypedSetting(t *testing.T) {
	known := realNames(t)
	for _, name := range strings.Fields(`GITHUB_ACTION GITHUB_REPOSITORY GITHUB_REF GITHUB_ENV GITHUB_JOB GITHUB_SHA GITHUB_PATH GITHUB_API_URL GITHUB_RUN_ID GITHUB_ACTOR GITHUB_SERVER_URL
		MQTT_HOST INFLUX_HOST INFLUX_CONFIGS_PATH SLACK_BOT_TOKEN DATABASE_HOST NODE_ENV NODE_OPTIONS XDG_DATA_DIRS XDG_DATA_HOME LISTEN_FDS LISTEN_PID TERM_PROGRAM GOPROXY MAKEFLAGS
		HOSTNAME KUBERNETES_PORT INFLUXDB_SERVICE_HOST GATEWAY_PORT GATEWAY_INTERFACE NO_PROXY PORTAGE_CONFIGROOT upstream_url fprocess`) {
		if meant := nearest.Typo(name, known); meant != "" {
			t.Errorf("%s is taken for %s", name, meant)
		}
	}
	for _, a := range known {
		for _, b := range known {
			if a == "SLACK_CHANNEL" && b == "SLACK_CHANNELS" || a == "SLACK_CHANNELS" && b == "SLACK_CHANNEL" {
				continue // both are settings: one of each is never taken for a mistake
			}
			if a != b && nearest.Typo(a, []string{b}) != "" {
				t.Errorf("%s is taken for %s", a, b)
			}
		}
	}
}

func TestMistypedSettingsAreNamedAtTheStart(t *testing.T) {
	root := repository(t)
	write(t, root+"/.env", "# settings\nTINY_PLACE=home\nexport tiny_url=https://api.tiny.example/v1\nNONSENSE=geheimnis\n\nghp4711abc=\nSENSOR_0_KIND=host\nTINY_PLACES=home\n")
	r := launch(t, root, "TINY_PLACESS=home", "HOME=/root", "TINI_PLACES_FOO=x", "PLATFORM=wsl", "SCHEDULER=x", "LIVE=weathr;all,foo", "LOG_FORMAT=text", "SENSORS_TOPICS=home/#; tele/#", "SLACK_WEBHOOKS=default=hooks.slack.com/geheimnis climat=https://hooks.slack.com/geheimnis")
	r.logStart(t.Context())
	for _, want := range []string{
		".env, line 2: TINY_PLACE is no setting: did you mean TINY_PLACES?",
		".env, line 3: tiny_url is no setting: did you mean TINY_URL?",
		"the environment has TINY_PLACESS, which is no setting: did you mean TINY_PLACES?",
		".env has what is no setting of hearth: NONSENSE (line 4), line 6",
		`LIVE has "weathr", which is no function: did you mean weather?`,
		`LIVE has "foo", which is no function: write all, or names of absent, weather`,
		`LOG_FORMAT is "text": write json, or remove it`,
		`SENSORS_TOPICS is "home/#; tele/#": write MQTT filters with commas between them`,
		"SLACK_WEBHOOKS: \"climat\" is no kind of message: did you mean climate?; default= is no web address: write https://hooks.slack.com/services/…",
	} {
		if strings.Count(r.logs.String(), want) != 1 {
			t.Errorf("not once: %s\n%s", want, r.logs)
		}
	}
	if r.has("geheimnis") || r.has("ghp4711abc") || r.has("TINI_PLACES_FOO") || r.has("PLATFORM") || r.has("SCHEDULER") || r.has("SENSOR_0") || r.has("EDGE is") {
		t.Errorf("%s", r.logs)
	}
}
