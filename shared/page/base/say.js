// The texts that a person reads, those that the scripts use: shared/page/texts adds them.
"use strict";
const texts = {};

// say returns a text with the arguments in it; the first one is the number of a text that counts.
function say(key, ...args) {
  const text = texts[key] ?? key;
  const form = typeof text === "string" ? text : String(args[0]) === "1" ? text.one : text.many;
  return form.replace(/\{[1-9]\}/g, (place) => args[place[1] - 1] ?? place);
}
