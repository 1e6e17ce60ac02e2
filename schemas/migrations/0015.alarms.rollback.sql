DROP TABLE alarm_deliveries;
DROP TABLE alarm_webhooks;
DROP TABLE alarms;
