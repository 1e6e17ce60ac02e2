import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads tweets.scored with Kafka's own client: BOOTSTRAP TOPIC GROUP [COUNT]. */
public class ReadScored {
  public static void main(String[] arguments) {
    long count = arguments.length > 3 ? Long.parseLong(arguments[3]) : Long.MAX_VALUE;
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("group.id", arguments[2]);
    settings.put("auto.offset.reset", "earliest");
    settings.put("isolation.level", "read_committed");
    settings.put("key.deserializer", StringDeserializer.class.getName());
    settings.put("value.deserializer", StringDeserializer.class.getName());
    Set<String> seen = new HashSet<>();
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
      consumer.subscribe(List.of(arguments[1]));
      for (long read = 0; read < count; ) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
          read++;
          // The type stands in the headers too: what is not wanted need not be parsed.
          if (!"TweetScored".equals(header(record, "type"))) {
            continue; // TweetDeleted, TweetWithheld, AuthorErased: delete what you hold of them.
          }
          String run = header(record, "run");
          String tweet = field(record.value(), "tweet_id");
          String version = field(record.value(), "version");
          if (seen.add(run + " " + tweet + " " + version)) {
            String score = record.value().substring(record.value().indexOf("\"score\":"));
            System.out.println(run + " " + tweet + " " + field(score, "label"));
          }
        }
      }
    }
  }

  private static String header(ConsumerRecord<String, String> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? "" : new String(header.value());
  }

  /** Finds a field without a JSON library; a real program uses one. */
  private static String field(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(json);
    return found.find() ? found.group(1) : "0";
  }
}
