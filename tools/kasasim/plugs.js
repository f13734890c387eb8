// Starts a plug of each kind on 127.0.0.1 and prints their ports as one line of
// JSON, {"hs110":40123}. It ends when its standard input does, so that it never
// outlives the test that started it.
const { Device } = require('tplink-smarthome-simulator');

// A plug takes a free UDP port and wants the TCP port of the same number, which
// may be in use.
async function start(model) {
  for (let tries = 20; ; tries--) {
    const plug = new Device({ model, port: 0, address: '127.0.0.1', data: { alias: `mock ${model}` } });
    try {
      await plug.start();
      return plug.port;
    } catch (err) {
      if (tries === 0) throw err;
    }
  }
}

async function main() {
  const ports = {};
  for (const model of ['hs100', 'hs110', 'hs110v2', 'hs300']) {
    ports[model] = await start(model);
  }
  console.log(JSON.stringify(ports));
}

process.stdin.on('end', () => process.exit(0)).resume();
main().catch((err) => {
  console.error(err);
  process.exit(1);
});
