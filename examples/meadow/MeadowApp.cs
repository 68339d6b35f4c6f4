// Connects as this device and sends one reading. There is no line about certificates: Meadow's OS shows the one that was uploaded
// to every server that asks for one.
using System;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Meadow;
using Meadow.Devices;
using MQTTnet;
using MQTTnet.Client;
using MQTTnet.Protocol;

public class MeadowApp : App<F7FeatherV2>
{
    public override async Task Run()
    {
        using (var client = new MqttFactory().CreateMqttClient())
        {
            var options = new MqttClientOptionsBuilder()
                .WithClientId("@ID@")
                .WithTcpServer("@HOST@", @PORT@)
                .WithTlsOptions(tls => tls.UseTls())
                .Build();
            await client.ConnectAsync(options, CancellationToken.None);

            var reading = new MqttApplicationMessageBuilder()
                .WithTopic("devices/@ID@/messages/events/")
                .WithPayload(Encoding.UTF8.GetBytes("{\"temperature\":21}"))
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .Build();
            await client.PublishAsync(reading, CancellationToken.None);
            Resolver.Log.Info("sent");
            await client.DisconnectAsync();
        }
    }
}
