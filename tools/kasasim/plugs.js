// Starts a plug of each kind on 127.0.0.1 and prints their ports as one line of
// JSON, {"hs110":40123}. It ends when its standard input does, so that it never
// outlives the test that started it.
const { Device } = require('tplink-smarthome-simulator');

async function main() {
  const ports = {};
  for (const model of ['hs100', 'hs110', 'hs110v2', 'hs300']) {
    const plug = new Device({ model, port: 0, address: '127.0.0.1', data: { alias: `mock ${model}` } });
    await plug.start();
    ports[model] = plug.port;
  }
  console.log(JSON.stringify(ports));
}

process.stdin.on('end', () => process.exit(0)).resume();
main().catch((err) => {
  console.error(err);
  process.exit(1);
});
