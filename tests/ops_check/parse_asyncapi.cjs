// Parses an AsyncAPI document: one line a fault, exit 1 for any.
const { Parser, fromFile } = require("@asyncapi/parser");

fromFile(new Parser(), process.argv[2])
  .parse()
  .then(({ document, diagnostics }) => {
    for (const fault of diagnostics) console.log(`${fault.path.join(".")}: ${fault.message}`);
    if (document) console.log(`${document.channels().all().length} channels`);
    process.exit(document && diagnostics.length === 0 ? 0 : 1);
  });
