package docs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/stack"
)

const intro = `
# Configuration

The user's settings for the house are in hearth.yml: [settings.md](settings.md). The settings of the functions, the connector and make up are listed here; those of the edge agent are in [edge.md](edge.md#settings). For images there are OWNER, REGISTRY (ghcr.io) and TAG (latest); for more MQTT topics, SENSORS_TOPICS and ZIGBEE_TOPICS. A setting is an environment variable. In OpenFaaS it stands in the block's ` + "`environment`" + ` in stack.yml, where
` + "`${NAME:-default}`" + ` takes it from the environment of ` + "`faas-cli`" + `; with ` + "`make up`" + ` it comes from the environment or from the file
` + "`.env`" + ` beside stack.yml. A secret is a file that OpenFaaS mounts; the variable whose name ends in ` + "`_SECRET`" + ` holds its name. With
` + "`make up`" + ` the secret ` + "`openweather-key`" + ` is the variable ` + "`OPENWEATHER_KEY`" + `: upper case, dashes as underscores.

In ` + "`.env`" + ` each line is ` + "`NAME=value`" + `, as for a shell, since ` + "`set -a; . ./.env`" + ` reads the same file. A value with a space or one of ` + "`; & | < > ( ) $ \\ ~ \" '`" + ` or a backtick stands in single quotes: ` + "`WEATHER_PLACES='home:47.6,-122.3;cabin:46.5,8'`" + `; one that contains a single quote, in double quotes, with a backslash before each of ` + "`\" $ \\`" + ` and a backtick. A line that a shell would read differently is an error.

The value of a secret is redacted in every log, answer, message and page. If the value is a URL or ` + "`key=value`" + ` words, so is the password in it. In the addresses of other settings, such as FEEDS, the password and what may be a token in the query are redacted, and a link to a page of PAGES has no query. All this holds however an upstream has escaped the value.
A value of fewer than six characters is redacted only as a whole word, and then in every place where the word stands: choose longer values.

The elements of a list are separated by commas, or by semicolons if an element may contain commas. The tables below say which; another separator is an error that says what to write. Line breaks separate elements in both.
A place is ` + "`name:latitude,longitude`" + ` in degrees, north and east positive: ` + "`home:47.6062,-122.3321;cabin:46.5,8`" + `. A duration is written ` + "`90s`, `15m` or `2h`" + `.

Each function has settings of its own:
`

const local = `
## make up

| variable | default | what |
| --- | --- | --- |
| ` + "`PORT`" + ` | ` + "`8080`" + ` | where gateway and page listen, on 127.0.0.1; the port after it is the MQTT connector's, for metrics, health and dead letters |
| ` + "`HEARTH_DIR`" + ` | ` + "`.hearth`" + ` | where the database, the messages not yet delivered and the platform's own secrets are kept. Other commands read these secrets while the platform runs, and change none; the keys of the functions are only in memory. A database of an older version is migrated at the start, with its progress in the log; if it is interrupted, the next start continues. Of a damaged one, ` + "`hearth database salvage`" + ` copies what can be read; until then the page says so, nothing is stored and messages wait |
| ` + "`LIVE`" + ` | | sources that need no key, and shall ask their real upstream instead of samples: ` + "`treasuries,feeds`" + ` or ` + "`all`" + `; setting one of their variables does the same. Until the upstream has answered once, samples are shown, marked, with the reason; a source that has answered never works on samples again, also without its key or LIVE |
| ` + "`INFLUX_URL`, `DATABASE_URL`" + ` | | real databases instead of the one in HEARTH_DIR, both or neither; run ` + "`make migrate`" + ` once |
| ` + "`INFLUX_ADMIN_TOKEN`" + ` | | only for ` + "`make migrate`" + `, which creates the [buckets of the roll-ups](history.md#influxdb-buckets-and-token) with it; no function gets it, and ` + "`make secrets`" + ` makes no secret of it |
| ` + "`INFLUX_CA_FILE`" + ` | | PEM file with the certificate of your own authority, if INFLUX_URL begins with https:// and its certificate is not of a public one; ` + "`make secrets`" + ` makes the secret ` + "`influx-ca`" + ` of it. PostgreSQL's is in DATABASE_URL: ` + "`?sslmode=verify-full&sslrootcert=/path/ca.pem`" + `, on OpenFaaS ` + "`sslrootcert=/var/openfaas/secrets/influx-ca`" + ` for the same authority |
| ` + "`MQTT_URL`" + ` | | your own broker, ` + "`tcp://my-broker:1883`" + ` or in short ` + "`my-broker`" + `, with ` + "`MQTT_USER`, `MQTT_PASSWORD`, `MQTT_CA_FILE`" + `; hearth publishes nothing there and leaves no session; without it hearth runs its own broker on 127.0.0.1 |
| ` + "`MQTT_PORT`" + ` | ` + "`1883`" + ` | port of hearth's own broker |
| ` + "`SENSORS_TOPICS`" + ` | ` + "`#`" + ` | topics of the function sensors: by default all but those of other functions, ` + "`homeassistant/#`" + ` and ` + "`hearth-alert/#`" + `, so that the page shows unknown topics with a proposed mapping |
| ` + "`SEND`" + ` | | ` + "`1`" + `: with ` + "`INFLUX_URL` and `DATABASE_URL`" + `, send messages and run ` + "`alert-devices`, `alert-deadlines` and `feeds`" + `. Without it, ` + "`make up`" + ` on databases of servers shows everything and sends nothing, since another platform may send. On its own database it sends: what is about sample data or simulated sensors never leaves the machine |
| ` + "`EDGE`" + ` | | ` + "`off`" + `: no simulated sensors, nor are there any with your own broker. Those of an earlier start are not shown then; with them on again they are back with their past |
| ` + "`SLACK_APP_TOKEN`" + ` | | app-level token: runs the Slack connector, for [buttons and the command /hearth](alerts.md#buttons) |
| ` + "`LOG_FORMAT`" + ` | | ` + "`json`" + ` for one JSON object a line |
| ` + "`NO_COLOR`" + ` | | any value: no colors |

The start names each variable of ` + "`.env`" + ` that is no setting, with its line and the setting that was probably meant. Of the environment, which has other programs' variables too, it names only those with a typing mistake of a letter or two; so do the connector, the functions and the edge agent.

Of the connector's settings these apply too: MQTT_CERT_FILE, MQTT_KEY_FILE, MQTT_CLIENT_ID, SPOOL_MAX_MIB, SPOOL_POLICY, SPOOL_SYNC, DEAD_MAX (2000 with your own broker), DEAD_MAX_MIB, CANARY_INTERVAL and GATHER_BY_LOAD.
`

func commonPage(root string, functions []stack.Function) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(notice + intro + "\n")
	for _, f := range functions {
		fmt.Fprintf(&b, "- [%s](../%s/README.md)\n", f.Name, f.Folder)
	}
	b.WriteString("\n")
	for _, part := range []struct{ title, text, dir string }{
		{"Store", "InfluxDB and PostgreSQL, the same for all functions.", "shared/store"},
		{"Messages", "Where Slack, ntfy and a webhook are not configured, nothing is sent. Any function sends what another could not. [alerts.md](alerts.md) says how to set them up. A message that could not be sent within 30 days is given up, which the log says.", "shared/notify"},
		{"Functions", "Every function has this.", "shared/serve"},
		{"Sources", "Every source has these. OpenFaaS' `read_timeout` and `write_timeout`, which end a call, must be longer.", "shared/source"},
		{"The MQTT connector", "Of its own container, not of a function: [mqtt.md](mqtt.md). A secret is a file in the folder `secret_mount_path`. `basic_auth=true` makes it log in to the gateway, with the secrets `basic-auth-user` and `basic-auth-password`.", "connectors/mqtt/bridge"},
		{"The Slack connector", "Of its own container, not of a function: [alerts.md](alerts.md#buttons). A secret is a file in the folder `secret_mount_path`.", "connectors/slack/relay"},
	} {
		p, err := load(root, part.dir)
		if err != nil {
			return nil, err
		}
		settings, err := p.settings("Config", "")
		if err != nil {
			return nil, err
		}
		if part.dir == "shared/source" { // messages have their own table
			for _, prefix := range []string{"SLACK_", "NTFY_", "ALERT", "PAGE_"} {
				settings = without(settings, prefix)
			}
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", part.title, part.text)
		table(&b, settings)
	}
	b.Truncate(b.Len() - 1)
	b.WriteString(local)
	return b.Bytes(), nil
}

func without(settings []setting, prefix string) []setting {
	return slices.DeleteFunc(settings, func(s setting) bool { return strings.HasPrefix(s.Name, prefix) })
}
