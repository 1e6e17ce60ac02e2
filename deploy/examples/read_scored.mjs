// Reads tweets.scored with kafkajs: BOOTSTRAP TOPIC GROUP [COUNT].
import kafkajs from "kafkajs";
import lz4 from "lz4js";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)),
});

const [bootstrap, topic, groupId, count] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], clientId: "example", logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId });
const seen = new Set();
let read = 0;

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    if (count !== undefined && read >= Number(count)) return;
    read += 1;
    const event = JSON.parse(message.value);
    if (event.type === "TweetScored") {
      const key = `${event.run} ${event.tweet_id} ${event.version ?? 0}`;
      if (!seen.has(key)) {
        seen.add(key);
        console.log(`${event.run} ${event.tweet_id} ${event.score.label}`);
      }
    }
    // TweetDeleted, TweetWithheld, AuthorErased: delete what you hold of them.
    if (read === Number(count)) setImmediate(() => consumer.disconnect().then(() => process.exit(0)));
  },
});
