// Reads a calendar from standard input, and prints what ical.js finds in it.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  const value = (name) => component.getFirstPropertyValue(name);
  return {
    uid: event.uid,
    start: event.startDate.toString(),
    summary: event.summary,
    status: value("status"),
    sequence: event.sequence,
    changed: value("last-modified").toString(),
    stamp: value("dtstamp").toString(),
    description: event.description,
  };
});
console.log(
  JSON.stringify({
    refresh: calendar.getFirstPropertyValue("refresh-interval").toString(),
    components: calendar.getAllSubcomponents().map((component) => component.name),
    events,
  }),
);
