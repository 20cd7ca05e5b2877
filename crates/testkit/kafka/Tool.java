// Talks to a broker as any other program would: through the Java client, which shares no code with Sluice.
//
// It serves until its input ends, since starting Java and its client takes longer than most commands. A command is a
// line of words separated by tabs, then the rows of its input, then a line with a dot. The answer is rows, then a line
// ".ok" or ".failed" with a reason. Columns are separated by tabs, bytes are base64 ("-" for null).

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Tool {
    private static final BufferedWriter OUT =
        new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));

    private static final BufferedReader IN =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    public static void main(String[] none) throws Exception {
        for (String line = IN.readLine(); line != null; line = IN.readLine()) {
            List<String[]> input = input();
            try {
                run(line.split("\t"), input);
                OUT.write(".ok\n");
            } catch (Exception error) {
                error.printStackTrace();
                OUT.write(".failed " + error.toString().replace('\n', ' ') + "\n");
            }
            OUT.flush();
        }
    }

    private static void run(String[] args, List<String[]> input) throws Exception {
        switch (args[0]) {
            case "partitions" -> partitions(Integer.parseInt(args[1]), input);
            case "create" -> create(args);
            case "configs" -> configs(args[1], args[2]);
            case "set" -> set(args[1], args[2], args[3], args[4]);
            case "read" -> read(args[1], args[2]);
            case "produce" -> produce(args[1], args[2], input);
            case "delete-below" -> deleteBelow(args[1], args[2], Integer.parseInt(args[3]), Long.parseLong(args[4]));
            case "delete" -> delete(args[1], args[2]);
            case "grow" -> grow(args[1], args[2], Integer.parseInt(args[3]));
            case "lead" -> lead(args[1], args[2], Integer.parseInt(args[3]));
            case "committed" -> committed(args[1], args[2]);
            case "replicas" -> replicas(args[1], args[2]);
            default -> throw new IllegalArgumentException("no such command: " + args[0]);
        }
    }

    /** Keys in, the partition that the Java producer gives each one out. */
    private static void partitions(int count, List<String[]> input) throws Exception {
        for (String[] row : input) {
            OUT.write(BuiltInPartitioner.partitionForKey(bytes(row[0]), count) + "\n");
        }
    }

    /** create BROKERS TOPIC PARTITIONS REPLICATION [KEY=VALUE]... */
    private static void create(String[] args) throws Exception {
        Map<String, String> configs = new HashMap<>();
        for (int index = 5; index < args.length; index++) {
            String[] pair = args[index].split("=", 2);
            configs.put(pair[0], pair[1]);
        }
        try (Admin admin = admin(args[1])) {
            NewTopic topic = new NewTopic(args[2], Integer.parseInt(args[3]), Short.parseShort(args[4]));
            admin.createTopics(List.of(topic.configs(configs))).all().get();
        }
    }

    /** The topic's number of partitions and replicas, then its settings, those left at the default too. */
    private static void configs(String brokers, String topic) throws Exception {
        try (Admin admin = admin(brokers)) {
            var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            OUT.write("partitions\t" + description.partitions().size() + "\n");
            OUT.write("replicas\t" + description.partitions().get(0).replicas().size() + "\n");
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            for (ConfigEntry entry : admin.describeConfigs(List.of(resource)).all().get().get(resource).entries()) {
                OUT.write(entry.name() + "\t" + entry.value() + "\n");
            }
        }
    }

    private static void set(String brokers, String topic, String key, String value) throws Exception {
        try (Admin admin = admin(brokers)) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            AlterConfigOp change = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
        }
    }

    /** All records from the earliest to what was the end at the start, in order per partition. */
    private static void read(String brokers, String topic) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", brokers);
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "none");
        properties.put("isolation.level", "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (record.offset() < ends.get(new TopicPartition(topic, record.partition()))) {
                        write(record);
                    }
                }
            }
        }
    }

    private static void write(ConsumerRecord<byte[], byte[]> record) throws Exception {
        OUT.write(record.partition() + "\t" + record.offset() + "\t" + record.timestamp() + "\t");
        OUT.write(text(record.key()) + "\t" + text(record.value()));
        for (Header header : record.headers()) {
            OUT.write("\t" + header.key() + "=" + text(header.value()));
        }
        OUT.write("\n");
    }

    /** Rows of key, value and headers (NAME=VALUE) in; the partition and offset of each out. */
    private static void produce(String brokers, String topic, List<String[]> input) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", brokers);
        properties.put("linger.ms", "5");
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<java.util.concurrent.Future<RecordMetadata>> sent = new ArrayList<>();
            for (String[] row : input) {
                ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, bytes(row[0]), bytes(row[1]));
                for (int index = 2; index < row.length; index++) {
                    int equals = row[index].indexOf('=');
                    record.headers().add(row[index].substring(0, equals), bytes(row[index].substring(equals + 1)));
                }
                sent.add(producer.send(record));
            }
            for (var one : sent) {
                OUT.write(one.get().partition() + "\t" + one.get().offset() + "\n");
            }
        }
    }

    /** Makes records unreadable, as retention does. */
    private static void deleteBelow(String brokers, String topic, int partition, long offset) throws Exception {
        try (Admin admin = admin(brokers)) {
            TopicPartition where = new TopicPartition(topic, partition);
            admin.deleteRecords(Map.of(where, RecordsToDelete.beforeOffset(offset))).all().get();
        }
    }

    private static void delete(String brokers, String topic) throws Exception {
        try (Admin admin = admin(brokers)) {
            admin.deleteTopics(List.of(topic)).all().get();
        }
    }

    /** Gives the topic this many partitions. */
    private static void grow(String brokers, String topic, int partitions) throws Exception {
        try (Admin admin = admin(brokers)) {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all().get();
        }
    }

    /** Makes a broker the leader of all partitions of the topic: first the preferred one, then elected. */
    private static void lead(String brokers, String topic, int broker) throws Exception {
        try (Admin admin = admin(brokers)) {
            var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            Map<TopicPartition, Optional<NewPartitionReassignment>> orders = new HashMap<>();
            description.partitions().forEach(info -> {
                List<Integer> replicas = new ArrayList<>();
                info.replicas().forEach(node -> replicas.add(node.id()));
                replicas.sort(Comparator.comparing(id -> id != broker));
                TopicPartition where = new TopicPartition(topic, info.partition());
                orders.put(where, Optional.of(new NewPartitionReassignment(replicas)));
            });
            admin.alterPartitionReassignments(orders).all().get();
            while (!admin.listPartitionReassignments(orders.keySet()).reassignments().get().isEmpty()) {
                Thread.sleep(20);
            }
            var elected = admin.electLeaders(ElectionType.PREFERRED, orders.keySet()).partitions().get();
            for (var entry : elected.entrySet()) {
                if (entry.getValue().isPresent() && !(entry.getValue().get() instanceof ElectionNotNeededException)) {
                    throw new IllegalStateException(entry.getValue().get());
                }
            }
        }
    }

    /** Partition, leader (0: none) and number of in-sync replicas. */
    private static void replicas(String brokers, String topic) throws Exception {
        try (Admin admin = admin(brokers)) {
            var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            for (var info : description.partitions()) {
                int leader = info.leader() == null ? 0 : info.leader().id();
                OUT.write(info.partition() + "\t" + leader + "\t" + info.isr().size() + "\n");
            }
        }
    }

    /** Topic, partition and offset for everything that the group has committed. */
    private static void committed(String brokers, String group) throws Exception {
        try (Admin admin = admin(brokers)) {
            Map<TopicPartition, OffsetAndMetadata> offsets =
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            for (var entry : offsets.entrySet()) {
                if (entry.getValue() != null) {
                    TopicPartition where = entry.getKey();
                    OUT.write(where.topic() + "\t" + where.partition() + "\t" + entry.getValue().offset() + "\n");
                }
            }
        }
    }

    private static Admin admin(String brokers) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", brokers);
        return Admin.create(properties);
    }

    private static List<String[]> input() throws Exception {
        List<String[]> rows = new ArrayList<>();
        for (String line = IN.readLine(); line != null && !line.equals("."); line = IN.readLine()) {
            rows.add(line.split("\t", -1));
        }
        return rows;
    }

    private static byte[] bytes(String text) {
        return text.equals("-") ? null : Base64.getDecoder().decode(text);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
    }
}
