// Express as tutorials write it: the body parser, JSON.parse, one line a record appended to a file.
// No sync, no database, no access log. Takes the port as its only argument.
const fs = require("node:fs/promises");
const express = require("express");

const app = express();
app.use(express.urlencoded({ extended: false }));

app.post("/webhook", async (req, res) => {
  const reports = JSON.parse(req.body.sms_status);
  await fs.appendFile("reports.jsonl", reports.map((report) => JSON.stringify(report) + "\n").join(""));
  res.type("text/plain").send("SUCCESS");
});

app.listen(Number(process.argv[2]), "127.0.0.1");
