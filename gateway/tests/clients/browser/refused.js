// Logs whether a page may read an answer of the gateway that its query names, and open a WebSocket to it.
const host = new URLSearchParams(location.search).get("gateway");
const reads = await fetch(`http://${host}/api/v3/time`).then(() => true, () => false);
const socket = new WebSocket(`ws://${host}/ws`);
const opens = await new Promise((resolve) => {
  socket.onopen = () => resolve(true);
  socket.onerror = () => resolve(false);
});
console.log(JSON.stringify({ reads, opens }));
console.log("done");
